"""What a burst leaves behind once it is over."""

from __future__ import annotations

import pytest
from looks import Service, by_chance


@pytest.mark.parametrize("gateway", [True, False])
@pytest.mark.parametrize("quiet", [2, 20, 60])
@pytest.mark.parametrize("idle", [20.0, 46.0])
def test_a_burst_that_is_over_makes_nothing_grow_again(gateway, quiet, idle):
    """A minute at 320/s; somebody scales to the minimum so long after it."""
    few, many = by_chance(idle, 1), by_chance(320.0, 2)
    service = Service()
    for rates, looks in ((few, 150), (many, 30), (few, quiet // 2)):
        for _ in range(looks):
            service.see(next(rates), gateway=gateway)
    grown, service.wanted = service.wanted, 2

    sizes = {service.see(next(few), gateway=gateway).replicas for _ in range(120)}

    assert grown >= 10
    assert sizes == {2}


def test_a_load_that_fell_but_not_far_enough_is_grown_for_as_far_as_it_is_there():
    few, many, some = by_chance(40.0, 1), by_chance(320.0, 2), by_chance(120.0, 3)
    service = Service()
    for rates, looks in ((few, 150), (many, 30), (some, 5)):
        for _ in range(looks):
            service.see(next(rates))
    service.wanted = 2

    for _ in range(15):
        service.see(next(some))

    assert 5 <= service.wanted <= 7  # of 120/s 5, of 320/s 14
