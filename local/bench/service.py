"""One service for a measurement: its web server, its background process, and the stand-in CouchDB."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import urllib3

ROOT = Path(__file__).resolve().parents[2]


class Service:
    """gunicorn, `manage.py background`, and a database, in a temporary folder."""

    def __init__(
        self,
        name: str,
        folder: Path,
        cores: int,
        *,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """`name` as in "logs"; `env` on top of what it needs, `options` of gunicorn."""
        from chassis.testing.couch import CouchServer, free_port

        self.name, self.port, self.cores = name, free_port(), cores
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "couch").mkdir()
        self.couch = CouchServer(folder / "couch")
        self.log = folder / f"{name}.log"
        self._options: Sequence[str] = options
        self._env = os.environ | {
            "COUCHDB_URL": self.couch.url,
            "REDIS_URL": "memory:",
            "DATA_DIR": str(folder / "data"),
            "HIVEMART_ENV": "test",
            **(env or {}),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def folder(self) -> Path:
        return folder_of(self.name)

    def start(self) -> None:
        self.couch.start()
        if self.couch.pid:
            self._pin(self.couch.pid)
        self.run("prepare", "manage.py", "prepare", seconds=60)
        self.start_web()
        self._processes["background"] = self.command("manage.py", "background")

    def start_web(self) -> None:
        options = ("-c", "../chassis/chassis/gunicorn.conf.py", "--bind", f"127.0.0.1:{self.port}")
        self._processes["web"] = self.command("-m", "gunicorn", "config.wsgi", *options, *self._options)
        end = time.monotonic() + 30
        pool = urllib3.PoolManager(retries=False)
        while time.monotonic() < end:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if pool.request("GET", f"{self.url}/readyz", timeout=2).status == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}")

    def restart_web(self, *options: str) -> None:
        """End the web server as a deploy does, and start it with these options of gunicorn."""
        process = self._processes.pop("web")
        process.terminate()
        process.wait(60)
        self._options = options
        self.start_web()

    def kill_web(self) -> None:
        """SIGKILL for the master and its worker."""
        process = self._processes.pop("web")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.couch.stop(kill=True)

    def cpu_seconds(self) -> float:
        """User and system time of the web server and its workers."""
        import psutil  # not in requirements of services

        web = psutil.Process(self._processes["web"].pid)
        times = [process.cpu_times() for process in (web, *web.children())]
        return float(sum(each.user + each.system for each in times))

    def run(self, what: str, *arguments: str, seconds: float) -> None:
        """Return a Python command to its end; RuntimeError with what it said."""
        code = self.command(*arguments).wait(seconds)
        if code:
            raise RuntimeError(f"{what} ended with {code}:\n{self.log.read_text()[-2000:]}")

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder, env=self._env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self._pin(process.pid)
        return process

    def _pin(self, pid: int) -> None:
        if self.cores < (os.cpu_count() or 1):
            os.sched_setaffinity(pid, set(range(self.cores)))


def folder_of(service: str) -> Path:
    return ROOT / f"{service}_svc"
