"""Starts Valkey without anything kept on disk: losing it loses no fact. Settings from the environment:

REDIS_PASSWORD_FILE  path of the password, a Docker secret (or REDIS_PASSWORD)
REDIS_PORT           6379
REDIS_MAXMEMORY      128mb
"""

import os
from pathlib import Path

env = os.environ
file = env.get("REDIS_PASSWORD_FILE")
password = Path(file).read_text().strip() if file else env.get("REDIS_PASSWORD", "")
if not password:
    raise SystemExit("REDIS_PASSWORD_FILE is not set: a Redis without a password is not started.")

# Not as an argument: every process of the machine can read those.
configuration = Path("/tmp/valkey.conf")  # noqa: S108 - the container's own, and private
with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
    out.write(
        f'port {env.get("REDIS_PORT", "6379")}\nbind 0.0.0.0\nprotected-mode yes\nrequirepass "{password}"\n'
        f'save ""\nappendonly no\ndir /tmp\nmaxmemory {env.get("REDIS_MAXMEMORY", "128mb")}\n'
        "maxmemory-policy noeviction\ntcp-backlog 511\nloglevel warning\n"
    )
os.execv("/app/valkey-server", ["valkey-server", str(configuration)])  # noqa: S606 - the image's own
