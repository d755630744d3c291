"""Cache of values shared by many pages."""

from __future__ import annotations

import pytest

from shop.stale_cache import StaleCache


class SourceUnavailable(Exception):
    pass


class Source:
    """Source that counts its calls and fails while it `is_down`."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_down = False

    def __call__(self) -> int:
        self.calls += 1
        if self.is_down:
            raise SourceUnavailable
        return self.calls


def cache_at(clock: list[float]) -> StaleCache[int]:
    return StaleCache(fresh=5, max_stale=60, clock=lambda: clock[0])


def test_a_fresh_value_is_not_fetched_again() -> None:
    clock, source = [0.0], Source()
    cache = cache_at(clock)

    first = cache.get("k", source, failures=(SourceUnavailable,))
    clock[0] = 4
    second = cache.get("k", source, failures=(SourceUnavailable,))

    assert (first, second, source.calls) == (1, 1, 1)


def test_a_stale_value_is_served_for_a_limited_time_during_an_outage() -> None:
    clock, source = [0.0], Source()
    cache = cache_at(clock)
    cache.get("k", source, failures=(SourceUnavailable,))
    source.is_down = True

    clock[0] = 30
    assert cache.get("k", source, failures=(SourceUnavailable,)) == 1
    clock[0] = 31
    assert cache.get("k", source, failures=(SourceUnavailable,)) == 1
    assert source.calls == 2, "an unavailable source is not called with every page"

    clock[0] = 61
    with pytest.raises(SourceUnavailable):
        cache.get("k", source, failures=(SourceUnavailable,))


def test_the_number_of_keys_is_limited() -> None:
    cache: StaleCache[int] = StaleCache(fresh=5, max_stale=60, size=2, clock=lambda: 0.0)
    source = Source()

    for key in ("a", "b", "c", "a"):
        cache.get(key, source, failures=(SourceUnavailable,))

    assert source.calls == 4
