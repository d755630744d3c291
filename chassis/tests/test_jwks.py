from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chassis.identity import keys
from chassis.identity.jwks import JwksCache
from chassis.testing.identity import key_of


class Auth:
    """Answers a key set, or is away; counts how often it is asked."""

    def __init__(self, *kids: str) -> None:
        self.kids = list(kids)
        self.away = False
        self.asked = 0

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.away:
            raise OSError("auth is away")
        return {"keys": [keys.jwk(kid, key_of(kid)) for kid in self.kids]}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_fetched_once_and_kept() -> None:
    auth = Auth("a")
    cache = JwksCache(auth, None, Clock())

    found = [cache.get("a") is not None for _ in range(3)]

    assert (found, auth.asked) == ([True, True, True], 1)


def test_a_storm_of_unknown_key_ids_is_one_fetch_in_ten_seconds() -> None:
    auth, clock = Auth("a"), Clock()
    cache = JwksCache(auth, None, clock)

    for step in range(100):
        clock.now = step * 0.199
        cache.get(f"unknown-{step}")

    assert auth.asked == 2


def test_a_new_key_is_found_when_its_first_token_arrives() -> None:
    auth, clock = Auth("a"), Clock()
    cache = JwksCache(auth, None, clock)
    cache.get("a")
    auth.kids.append("b")
    clock.now = 11

    assert cache.get("b") is not None


def test_a_retired_key_is_refused_within_a_minute() -> None:
    auth, clock = Auth("a", "b"), Clock()
    cache = JwksCache(auth, None, clock)
    cache.get("a")
    auth.kids = ["b"]
    clock.now = 61

    assert cache.get("a") is None


def test_the_last_good_keys_are_used_while_auth_is_away() -> None:
    auth, clock = Auth("a"), Clock()
    cache = JwksCache(auth, None, clock)
    cache.get("a")
    auth.away = True
    clock.now = 3600

    assert cache.get("a") is not None


def test_a_cold_start_without_auth_takes_the_keys_from_disk(tmp_path: Path) -> None:
    store = tmp_path / "data" / "jwks.json"
    JwksCache(Auth("a"), store, Clock()).get("a")
    auth = Auth()
    auth.away = True

    cold = JwksCache(auth, store, Clock())

    assert cold.get("a") is not None
    assert [entry["kid"] for entry in json.loads(store.read_text())["keys"]] == ["a"]


def test_a_broken_file_is_as_good_as_none(tmp_path: Path) -> None:
    store = tmp_path / "jwks.json"
    store.write_text("{half a")

    assert JwksCache(Auth("a"), store, Clock()).get("a") is not None


def test_an_empty_or_foreign_key_set_does_not_replace_good_keys() -> None:
    auth, clock = Auth("a"), Clock()
    cache = JwksCache(auth, None, clock)
    cache.get("a")
    auth.kids = []
    clock.now = 100

    assert cache.get("a") is not None
    assert keys.from_jwks({"keys": [{"kty": "RSA", "kid": "r", "n": "…", "e": "AQAB"}]}) == {}
