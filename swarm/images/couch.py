"""Starts local/couch as Apache CouchDB's image is: the same port, folder and ini files."""

import os

os.environ.setdefault("COUCH_HOST", "0.0.0.0")  # noqa: S104 - a container
os.environ.setdefault("COUCH_PORT", "5984")
os.environ.setdefault("COUCH_DIR", "/opt/couchdb/data")
os.environ.setdefault("COUCH_INI", "/opt/couchdb/etc/local.d")
os.environ.setdefault("COUCH_REVS_LIMIT", "1000")  # as CouchDB's: a standby may be unavailable for a while
os.execvp("node", ["node", "--max-semi-space-size=4", "/app/server.js"])  # noqa: S606 - our own
