"""The real nginx in front of small stubs that answer with what they were asked."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from stubs import Stub, free_port  # noqa: E402

from gateway.render import Settings, render  # noqa: E402 -- the folder above has to be on the path first
from local.binaries import nginx_binary  # noqa: E402

SERVICES = ("auth", "catalog", "cart", "checkout", "logs", "reco")


@dataclass
class Reply:
    """An answer of the gateway."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Gateway:
    """A running nginx and its stubs."""

    def __init__(self, folder: Path, replicas: dict[str, list[str]] | None = None, **settings: Any) -> None:
        """`replicas`: names of the stubs that a service has, where it is more than its own."""
        self.stubs = {name: Stub(name) for name in (*SERVICES, "storefront", "health", "media", "mailbox")}
        self.outer, self.inner = free_port(), free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(render(Settings(**{**self._settings(folder, replicas or {}), **settings})))
        (folder / "cache").mkdir()
        self._process = subprocess.Popen(  # noqa: S603 -- our own arguments
            [nginx_binary(), "-p", folder, "-c", configuration]
        )
        self._wait()

    def _settings(self, folder: Path, replicas: dict[str, list[str]]) -> dict[str, Any]:
        at = {name: [f"127.0.0.1:{stub.port}"] for name, stub in self.stubs.items()}
        return {
            "outer": [f"127.0.0.1:{self.outer}"],
            "inner": [f"127.0.0.1:{self.inner}"],
            "services": {name: [at[stub][0] for stub in replicas.get(name, [name])] for name in SERVICES},
            "storefront": at["storefront"],
            "health": at["health"],
            "mailbox": at["mailbox"],
            "media": f"http://{at['media'][0]}/account/media",
            "directory": str(folder),
            "user": "root root" if os.getuid() == 0 else "",
        }

    def _wait(self) -> None:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.outer)) == 0:
                    return
            time.sleep(0.05)
        self._process.kill()
        self._process.wait()
        raise AssertionError("nginx did not start")

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        inner: bool = False,
        body: bytes | None = None,
        **headers: str,
    ) -> Reply:
        """One request; header names are written with underscores."""
        connection = http.client.HTTPConnection("127.0.0.1", self.inner if inner else self.outer, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        answer = connection.getresponse()
        reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return reply

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(5)
        for stub in self.stubs.values():
            stub.stop()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(running: Gateway) -> Gateway:
    """Return the gateway with every stub in its first state; its cache and limits are shared by the run."""
    for stub in running.stubs.values():
        stub.reset()
    return running


@pytest.fixture
def make_gateway(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Return a gateway of one's own, with other settings."""
    made: list[Gateway] = []

    def make(**settings: Any) -> Gateway:
        made.append(Gateway(tmp_path, **settings))
        return made[-1]

    yield make
    for gateway in made:
        gateway.stop()
