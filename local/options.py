"""What a person chooses: `make run PORT= DATA= SEED=`, and the stores that are somewhere else already."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class BadOption(Exception):
    """The text is one sentence for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run a shop."""

    port: int = 8000
    host: str = "localhost"
    """where the shop listens: `localhost`, or an address of this machine (0.0.0.0 for all)"""
    data: Path = ROOT / "var"
    seed: str = "demo"
    """`demo` or `none`"""
    couchdb_url: str = ""
    redis_url: str = ""
    blob_store: str = ""
    """a connection string of Azure Storage"""
    auth_rate: int = 30
    """log-ins, and registrations, per minute and address"""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


def from_environment(env: Mapping[str, str] = os.environ) -> Options:
    """Return the options, from PORT, BIND, DATA, SEED, AUTH_RATE and URLs.

    Raises BadOption if one makes no sense.
    """
    seed = env.get("SEED") or "demo"
    if seed not in {"demo", "none"}:
        raise BadOption(f"SEED={seed} is neither demo nor none.")
    return Options(
        port=_port(env.get("PORT") or "8000"),
        host=env.get("BIND") or "localhost",
        data=(ROOT / Path(env.get("DATA") or "var").expanduser()).resolve(),
        seed=seed,
        couchdb_url=env.get("COUCHDB_URL", ""),
        redis_url=env.get("REDIS_URL", ""),
        blob_store=env.get("AZURE_STORAGE_CONNECTION_STRING", ""),
        auth_rate=_whole("AUTH_RATE", env.get("AUTH_RATE") or "30"),
    )


def _whole(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise BadOption(f"{name}={text} is not a whole number above 0.")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise BadOption(f"PORT={text} is not a port: a number from 1 to 65535.")
    return int(text)
