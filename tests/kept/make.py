"""`python -m tests.kept.make VERSION`: a small `var/` and a Swarm backup of the version that is checked out.

Run it at the commit of a release, as root with a Docker engine, before anything changes what is stored. The
result, `tests/data/VERSION/`, is committed and never made again: it is what that version wrote.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from local import ports
from local.data import SIGNERS
from tests.conftest import Shop
from tests.kept import life
from tests.swarm.stack import EMAIL, PASSWORD, Stack

DATA = Path(__file__).resolve().parents[1] / "data"
# What a start makes anew, or what only says how a run went.
LEFT_OUT = {"log", "run.json", "lock", "console.log", "gateway", "mail", "valkey"}


def main(version: str) -> None:
    target = DATA / version
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        record = _local(Path(folder) / "var", target / "var.tar.xz")
        swarm = _swarm(Path(folder), target / "swarm.tar")
    (target / "record.json").write_text(json.dumps({"var": record, "swarm": swarm}, indent=1) + "\n")


def _local(var: Path, to: Path) -> life.Record:
    var.mkdir()
    (var / "secrets.json").write_text(json.dumps(known_secrets()))
    shop = Shop(var, ports.free(1)[0], SEED="none")
    shop.start()
    try:
        record = life.live(shop.url, shop.staff())
    finally:
        shop.stop()
    with tarfile.open(to, "w:xz") as tar:
        for path in sorted(var.iterdir()):
            if path.name not in LEFT_OUT:
                tar.add(path, arcname=path.name)
    return record


def known_secrets() -> dict[str, object]:
    """Secrets that protect nothing: each is derived from its own name, for all the world to see."""

    def word(name: str) -> str:
        return f"for-tests-only-{name}"

    def key(name: str) -> str:
        private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(word(name).encode()).digest())
        return base64.b64encode(private.private_bytes_raw()).decode()

    return {
        "couch": word("couch"),
        "valkey": word("valkey"),
        "azurite": base64.b64encode(word("azurite").ljust(48).encode()).decode(),
        "admin": {"email": "admin@hivemart.example", "password": word("admin")},
        "services": {
            name: {"secret_key": word(f"{name}-secret-key-of-enough-length"), "private_key": key(name)}
            for name in SIGNERS
        },
    }


def _swarm(folder: Path, to: Path) -> life.Record:
    http, https = map(str, ports.free(2))
    given = {"STACK": "kept", "HTTP_PORT": http, "HTTPS_PORT": https, "COUCHDB_IMAGE": "stand-in"}
    stack = Stack(folder / "swarm", {**given, "AUTH_RATE": "6000", "DEMO": "1"})
    try:
        stack.swarm("deploy")
        stack.trust()
        stack.wait_for("ok", 180)
        stack.swarm("staff", EMAIL=EMAIL, PASSWORD=PASSWORD)
        record = life.live(stack.url, stack.staff())
        stack.swarm("backup", TO=str(to))
    finally:
        stack.swarm("undeploy", DATA="delete", check=False)
    return record


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m tests.kept.make VERSION")
    subprocess.run(["git", "diff", "--quiet", "HEAD"], check=True)  # noqa: S607 - what is made is the commit's
    main(sys.argv[1])
