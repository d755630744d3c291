"""A real server of the CouchDB protocol for a test run, on a free port, with a folder that goes away."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.test import override_settings

from chassis.couch.connection import disconnect

PASSWORD = "test-couch"  # of a throw-away server on the loopback
FOLDER = Path(__file__).resolve().parents[3] / "local" / "couch"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class CouchServer:
    """`local/couch/server.js` as a process that a test may stop, kill and start again."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        self.url = f"http://admin:{PASSWORD}@127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of its process, 0 while there is none."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start and wait until it answers, 20 s at most."""
        env = os.environ | {
            "COUCH_PORT": str(self.port),
            "COUCH_DIR": str(self.folder),
            "COUCHDB_USER": "admin",
            "COUCHDB_PASSWORD": PASSWORD,
        }
        node = shutil.which("node") or "node"
        with (self.folder / "couch.log").open("ab") as out:
            command = [node, str(FOLDER / "server.js")]
            self._process = subprocess.Popen(command, env=env, stdout=out, stderr=out)  # noqa: S603 - our own server
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_up", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError(
            "the local server did not start: " + (self.folder / "couch.log").read_text()[-500:]
        )

    def stop(self, *, kill: bool = False) -> None:
        """End it: politely, or with SIGKILL."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self._process.wait(10)
        self._process = None


@contextmanager
def couch_server() -> Iterator[CouchServer]:
    """Start a server; Django's COUCHDB_URL points to it for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="couch-") as folder:
        running = CouchServer(Path(folder))
        running.start()
        try:
            with override_settings(COUCHDB_URL=running.url):
                yield running
        finally:
            disconnect()
            running.stop(kill=True)


@contextmanager
def fresh_databases() -> Iterator[str]:
    """Databases of this block only, by a prefix of its own; for tests that share a server."""
    prefix = f"t{time.time_ns():x}-"
    with override_settings(COUCHDB_PREFIX=prefix):
        yield prefix


def is_memory() -> bool:
    """Whether this process uses the in-memory twin."""
    return bool(settings.COUCHDB_URL == "memory:")
