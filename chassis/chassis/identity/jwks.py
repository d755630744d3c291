"""Auth's public keys, fetched, cached, and kept on disk for a start while auth is away."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from chassis.identity import keys

_log = logging.getLogger("chassis.identity")

PATH = "/api/auth/.well-known/jwks.json"
MAX_AGE = 60.0  # seconds until a retired key is refused
MIN_GAP = 10.0  # seconds between two fetches, however many unknown key ids arrive

Fetch = Callable[[], Mapping[str, Any]]


class JwksCache:
    """Key id -> public key. One fetch in `MIN_GAP` seconds at most; the last good answer outlives auth."""

    def __init__(self, fetch: Fetch, store: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, Ed25519PublicKey] = self._load()
        self._fresh_until = float("-inf")
        self._next_try = float("-inf")

    def get(self, kid: str) -> Ed25519PublicKey | None:
        now = self._clock()
        if now >= self._next_try and (kid not in self._keys or now >= self._fresh_until):
            self._refresh()
        return self._keys.get(kid)

    def _refresh(self) -> None:
        """One thread fetches; the others go on with the keys there are, and wait only if there are none."""
        if not self._lock.acquire(blocking=not self._keys):
            return
        try:
            if self._clock() < self._next_try:
                return
            self._next_try = self._clock() + MIN_GAP
            self._take(self._fetch())
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the last good keys stay in use
            _log.warning("keys of auth could not be fetched: %s", error)
        finally:
            self._lock.release()

    def _take(self, document: Mapping[str, Any]) -> None:
        fetched = keys.from_jwks(document)
        if not fetched:
            raise ValueError("a key set without keys")
        self._keys = fetched
        self._fresh_until = self._clock() + MAX_AGE
        self._save(document)

    def _load(self) -> dict[str, Ed25519PublicKey]:
        if self._store is None or not self._store.exists():
            return {}
        try:
            return keys.from_jwks(json.loads(self._store.read_text()))
        except (OSError, ValueError, AttributeError, KeyError):
            return {}

    def _save(self, document: Mapping[str, Any]) -> None:
        if self._store is None:
            return
        # A disk that is full or read-only costs the cold start, nothing else.
        with contextlib.suppress(OSError):
            self._store.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._store.parent, prefix=".jwks-")
            with os.fdopen(handle, "w") as out:
                json.dump(dict(document), out)
            Path(name).replace(self._store)


def fetch_over(url: str, pool: urllib3.PoolManager) -> Fetch:
    """Return a fetch of that URL with a second's patience."""

    def fetch() -> Mapping[str, Any]:
        answer = pool.request("GET", url, timeout=urllib3.Timeout(total=1.0), retries=False)
        if answer.status != 200:
            raise ValueError(f"{answer.status} from {url}")
        document: Mapping[str, Any] = answer.json()
        return document

    return fetch


def from_settings() -> JwksCache:
    """Return the cache of this process."""
    pool = urllib3.PoolManager(maxsize=1)
    return JwksCache(fetch_over(settings.GATEWAY_URL + PATH, pool), Path(settings.DATA_DIR) / "jwks.json")
