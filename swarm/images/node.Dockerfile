# The two stores that run on Node: the CouchDB-protocol server of local runs (a real shop runs Apache CouchDB),
# and Azurite, which stands in where no real blob store is named.
ARG BUILD_IMAGE
ARG RUN_IMAGE
FROM ${BUILD_IMAGE} AS build
COPY requirements.txt /build/own.txt
RUN /venv/bin/pip install -q --no-compile --only-binary :all: --no-deps --require-hashes --target /build/site \
      -r /build/own.txt \
 && mv "$(find /build/site -type f -path '*/bin/node')" /usr/local/bin/node \
 && ln -s "$(find /build/site -name npm-cli.js)" /usr/local/bin/npm
# Node does not look at the system's certificates by itself.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PATH=/usr/local/bin:$PATH
COPY app/package.json app/package-lock.json /app/
RUN cd /app && npm ci --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error && rm -rf ~/.npm
COPY slim_node.py /build/
RUN python3 /build/slim_node.py /app/node_modules
COPY app /app
COPY entry.py /app/

FROM ${RUN_IMAGE}
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
# A volume takes its owner from the folder that it covers: CouchDB's user has 5984 in its own image too.
RUN install -d -o 5984 -g 5984 /opt/couchdb/data
WORKDIR /app
USER 10001:10001
ENV NODE_ENV=production DATA_DIR=/data
CMD ["python3", "entry.py"]
