# One service: what it needs beyond the base, the chassis, its own folder. Its web server by default;
# other commands are `python manage.py background|prepare|…` and `celery -A config worker|beat …`.
ARG BUILD_IMAGE
ARG RUN_IMAGE
FROM ${BUILD_IMAGE} AS build
COPY requirements.txt /build/own.txt
RUN mkdir -p /app/site \
 && /venv/bin/pip install -q --no-compile --only-binary :all: --no-deps --require-hashes --target /app/site \
      -r /build/own.txt \
 && rm -rf /app/site/bin && python3 /build/slim.py /app/site
COPY chassis /app/chassis
RUN python3 /build/slim.py /app/chassis
ARG FOLDER
COPY service /app/${FOLDER}
ENV PYTHONPATH=/app/site:/app/chassis STATIC_ROOT=/app/static
# Django wants no secret here: its settings have one that production refuses.
RUN cd /app/${FOLDER} && python3 /build/slim.py . \
 && HIVEMART_ENV=local DATA_DIR=/tmp PATH=/venv/bin:$PATH python manage.py collectstatic --noinput -v 0 \
 && find /app/static -name '*.map*' -delete

FROM ${RUN_IMAGE}
ENV PYTHONPATH=/app/site:/app/chassis STATIC_ROOT=/app/static
COPY --from=build /app/site /app/site
COPY --from=build /app/chassis /app/chassis
COPY --from=build /app/static /app/static
ARG FOLDER
COPY --from=build /app/${FOLDER} /app/${FOLDER}
WORKDIR /app/${FOLDER}
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "config.wsgi", "--config", "/app/chassis/chassis/gunicorn.conf.py"]
