"""Starts Azurite on /data. AZURITE_ACCOUNTS_FILE (or AZURITE_ACCOUNTS), `name:key`, says who may use it."""

import os
from pathlib import Path

file = os.environ.get("AZURITE_ACCOUNTS_FILE")
if file:
    os.environ["AZURITE_ACCOUNTS"] = Path(file).read_text().strip()
if not os.environ.get("AZURITE_ACCOUNTS"):
    raise SystemExit("AZURITE_ACCOUNTS_FILE is not set: everybody knows the key of Azurite's own account.")

PROGRAM = "/app/node_modules/azurite/dist/src/blob/main.js"
LISTEN = ["--blobHost", "0.0.0.0", "--blobPort", "10000"]  # noqa: S104 - a container
# The SDK is ahead of Azurite: without the first flag every request is refused.
OPTIONS = ["--skipApiVersionCheck", "--disableTelemetry", "--silent", "--location", "/data"]
os.execvp("node", ["node", "--max-old-space-size=192", PROGRAM, *LISTEN, *OPTIONS])  # noqa: S606 - our own
