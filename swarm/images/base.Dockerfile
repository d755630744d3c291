# What all images of the shop share, in three steps that are images of their own.
# /data and /journal are for everybody, as /tmp is: a tmpfs that is mounted there takes its mode and not its owner.
#   python  Debian, Python's standard library, busybox (health checks), the user 10001
#   build   + pip and a /venv with what every service needs; only other builds start from it
#   base    python + that /venv
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS python
RUN apt-get -q update \
 && apt-get -q -y upgrade \
 && apt-get -q install -y --no-install-recommends python3 busybox-static ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf/*-old /var/log/*.log /var/log/apt \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin hivemart \
 && install -d -o 10001 -g 10001 -m 1777 /data /journal
COPY healthy /usr/local/bin/healthy
RUN chmod 0755 /usr/local/bin/healthy
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

FROM python AS build
RUN apt-get -q update && apt-get -q install -y --no-install-recommends python3-venv && python3 -m venv /venv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements.txt slim.py /build/
RUN /venv/bin/pip install -q --no-compile --only-binary :all: --no-deps --require-hashes -r /build/requirements.txt \
 && cp -a /venv /build/venv \
 && /venv/bin/pip --python /build/venv/bin/python uninstall -q -y pip setuptools \
 && find /build/venv -type d -path '*/site-packages/*/static' ! -path '*/celery/*' -prune -exec rm -rf {} + \
 && python3 /build/slim.py /build/venv/lib

FROM python AS base
COPY --from=build /build/venv /venv
# One arena per thread is what glibc keeps otherwise, and one BLAS thread per core.
ENV PATH=/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin VIRTUAL_ENV=/venv DATA_DIR=/data \
    MALLOC_ARENA_MAX=2 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
