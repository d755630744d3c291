"""Values that many pages share."""

from __future__ import annotations

import pytest

from shop.recent import Recent


class Away(Exception):
    pass


class Source:
    """Counts how often it is asked; fails while `away`."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    def __call__(self) -> int:
        self.asked += 1
        if self.away:
            raise Away
        return self.asked


def recent_at(clock: list[float]) -> Recent[int]:
    return Recent(fresh=5, keep=60, clock=lambda: clock[0])


def test_a_fresh_value_is_not_fetched_again() -> None:
    clock, source = [0.0], Source()
    recent = recent_at(clock)

    first = recent.get("k", source, failures=(Away,))
    clock[0] = 4
    second = recent.get("k", source, failures=(Away,))

    assert (first, second, source.asked) == (1, 1, 1)


def test_the_last_value_serves_while_its_source_is_away_and_not_for_ever() -> None:
    clock, source = [0.0], Source()
    recent = recent_at(clock)
    recent.get("k", source, failures=(Away,))
    source.away = True

    clock[0] = 30
    assert recent.get("k", source, failures=(Away,)) == 1
    clock[0] = 31
    assert recent.get("k", source, failures=(Away,)) == 1
    assert source.asked == 2, "a source that is away is not asked with every page"

    clock[0] = 61
    with pytest.raises(Away):
        recent.get("k", source, failures=(Away,))


def test_only_so_many_keys_are_kept() -> None:
    recent: Recent[int] = Recent(fresh=5, keep=60, size=2, clock=lambda: 0.0)
    source = Source()

    for key in ("a", "b", "c", "a"):
        recent.get(key, source, failures=(Away,))

    assert source.asked == 4
