"""Starts the shop for a measurement and reads what its processes cost."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

READY_TIMEOUT = 240.0


@dataclass(frozen=True, slots=True)
class Shop:
    url: str
    supervisor: psutil.Process
    seconds_to_ready: float

    def processes(self) -> list[psutil.Process]:
        return [self.supervisor, *self.supervisor.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """User and system time of every process of the shop so far."""
        return sum(self._cpu(process) for process in self.processes())

    def pss_bytes(self) -> dict[str, int]:
        """Proportional set size by command."""
        sizes: dict[str, int] = {}
        for process in self.processes():
            try:
                name = " ".join(process.cmdline()[:4])[-60:]
                sizes[f"{process.pid} {name}"] = process.memory_full_info().pss
            except psutil.Error:
                continue
        return sizes

    @staticmethod
    def _cpu(process: psutil.Process) -> float:
        try:
            times = process.cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(data: Path, *, seed: str = "demo") -> Iterator[Shop]:
    """Return the shop on a free port with this data folder, stopped at the end."""
    port = free_port()
    began = time.monotonic()
    with (data.parent / "bench-shop.log").open("ab") as log:
        process = subprocess.Popen(
            ["make", "--no-print-directory", "run", f"PORT={port}", f"DATA={data}", f"SEED={seed}"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _until_ok(url, process)
            yield Shop(url, psutil.Process(process.pid), time.monotonic() - began)
        finally:
            process.send_signal(signal.SIGINT)
            _stop(process)


def _until_ok(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"the shop ended with exit code {process.returncode} before it was ready")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:  # noqa: S310  # our own address
                if json.load(answer)["status"] == "ok":
                    return
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    sys.exit(f"the shop was not ready within {READY_TIMEOUT:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(process.pid).children() if process.poll() is None else []:
        child.send_signal(signal.SIGINT)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
