"""The whole shop, once for a run: on a free port, with a data folder that goes away."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import ports
from tests.client import Staff

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 480.0  # seconds for a first start; a minute and a half on two quiet cores


class Shop:
    """A running shop: `url`, its administrator, and ways to break it."""

    def __init__(self, data: Path, port: int, **env: str) -> None:
        self.data, self.url = data, f"http://localhost:{port}"
        self._env = {
            **os.environ,
            "PORT": str(port),
            "DATA": str(data),
            "NO_COLOR": "1",
            "AUTH_RATE": "6000",
            "AUTH_ACCOUNT_RATE": "6000",
            **env,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._staff: Staff | None = None

    def start(self, patience: float = PATIENCE) -> None:
        """Start and wait for /healthz to be ok. AssertionError with the log's end if that takes too long."""
        command = [sys.executable, "-m", "local", "run"]
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "console.log").open("ab") as console:
            self._process = subprocess.Popen(  # noqa: S603 -- our own command
                command, cwd=ROOT, env=self._env, stdout=console, stderr=console
            )
        self.wait_for("ok", patience)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(15)
            self._process = None

    def wait_for(self, status: str, patience: float = 60.0) -> None:
        """Until /healthz says so."""
        end = time.monotonic() + patience
        while self.health().get("status") != status:
            assert self._process is None or self._process.poll() is None, f"the shop ended:\n{self.tail()}"
            assert time.monotonic() < end, f"not {status} in time: {self.health()}\n{self.tail()}"
            time.sleep(0.2)

    def health(self) -> dict[str, Any]:
        """Return the body of /healthz; {} while there is none."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.loads(error.read() or b"{}"))
        except (OSError, ValueError):
            return {}

    def tail(self, lines: int = 60) -> str:
        """Return the end of what the parts said, and of what the supervisor did."""
        files = (self.data / "log" / "hivemart.log", self.data / "console.log")
        texts = [file.read_text(errors="replace") for file in files if file.exists()]
        return "\n".join(line for text in texts for line in text.splitlines()[-lines:])

    # -- its people

    @property
    def secrets(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "secrets.json").read_text()))

    @property
    def admin_email(self) -> str:
        return str(self.secrets["admin"]["email"])

    @property
    def admin_password(self) -> str:
        return str(self.secrets["admin"]["password"])

    def staff(self) -> Staff:
        """Return the administrator, signed in anew: a token lasts ten minutes."""
        staff = Staff(self.url)
        staff.sign_in(self.admin_email, self.admin_password)
        return staff

    # -- its parts

    @property
    def run(self) -> dict[str, Any]:
        """What the supervisor says of itself: ports, pids, URLs of the stores."""
        return dict(json.loads((self.data / "run.json").read_text()))

    def kill(self, name: str) -> None:
        """SIGKILL for the process of a part; the supervisor starts it again."""
        os.kill(self.run["pids"][name], signal.SIGKILL)

    @contextlib.contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        """Return the named parts are away for the length of the block."""
        self._local("stop", *names)
        self._until(lambda: not set(names) & self.run["pids"].keys())
        time.sleep(1.5)  # /healthz may be 1 s old
        try:
            yield
        finally:
            self._local("start", *names)
            self._until(lambda: set(names) <= self.run["pids"].keys())

    def _local(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "local", *arguments]
        subprocess.run(command, cwd=ROOT, env=self._env, check=True)  # noqa: S603 -- our own command

    def _until(self, condition: Any, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the part neither stopped nor started in time"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """Return the demo shop. `SHOP_DATA` names a folder to keep (and to start from, the next time)."""
    kept = os.environ.get("SHOP_DATA")
    data = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="shop-"))
    running = Shop(data, ports.free(1)[0])
    try:
        running.start()
        yield running
    finally:
        running.stop()
        if not kept:
            shutil.rmtree(data, ignore_errors=True)
