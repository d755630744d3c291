"""Starts Azurite on /data. AZURITE_ACCOUNTS (`name:key`), or AZURITE_ACCOUNTS_FILE, says who may use it."""

import os
from pathlib import Path

file = os.environ.get("AZURITE_ACCOUNTS_FILE")
if file:
    os.environ["AZURITE_ACCOUNTS"] = Path(file).read_text().strip()
if not os.environ.get("AZURITE_ACCOUNTS"):
    raise SystemExit("AZURITE_ACCOUNTS_FILE is not set: without it everybody knows the key.")

data = os.environ.get("DATA_DIR", "/data")
command = ["node", "--max-old-space-size=192", "/app/node_modules/azurite/dist/src/blob/main.js"]
command += ["--location", data, "--blobHost", "0.0.0.0", "--blobPort", os.environ.get("AZURITE_PORT", "10000")]  # noqa: S104 - a container
command += ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
os.execvp("node", command)  # noqa: S606, S607 - the image has one node
