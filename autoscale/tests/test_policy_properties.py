"""What holds for any load."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looks import CONFIG, COST, Service, by_chance, look

from autoscaling.policy import decide

RATES = st.floats(0, 2000, allow_nan=False)
LOOKS = st.lists(
    st.tuples(RATES, st.booleans(), st.booleans(), st.floats(0, 5000), st.floats(0, 1000), st.booleans()),
    min_size=1, max_size=120,
)  # fmt: skip
quick = settings(max_examples=60)


@quick
@given(LOOKS, st.integers(1, 6), st.integers(6, 30), st.one_of(st.none(), st.integers(0, 40)))
def test_it_never_leaves_min_and_max_nor_grows_beyond_the_nodes(looks, low, high, room):
    service = Service(wanted=low, config=replace(CONFIG, min=low, max=high))

    for rate, gateway, agents, flying, failed, updating in looks:
        before = service.wanted
        decision = service.see(
            rate,
            gateway=gateway,
            agents=agents,
            in_flight=flying,
            failed=failed,
            updating=updating,
            room=room,
        )

        assert low <= decision.replicas <= high
        assert decision.replicas <= max(before, high if room is None else room)
        assert not updating or decision.replicas == before


@quick
@given(LOOKS)
def test_it_never_goes_down_while_figures_are_stale_or_its_record_is_young(looks):
    service = Service(wanted=20)
    seen_since = 0.0

    for rate, gateway, agents, flying, failed, updating in looks:
        before = service.wanted
        decision = service.see(
            rate, gateway=gateway, agents=agents, in_flight=flying, failed=failed, updating=updating
        )
        stale = not (gateway or agents)
        if stale or service.at - seen_since < CONFIG.cooldown:
            assert decision.replicas >= before


@quick
@given(st.floats(0.05, 1.0), st.integers(5, 70), RATES, RATES, st.integers(2, 24))
def test_more_load_never_means_fewer_replicas(share, intervals, one, other, wanted):
    """After a load that was constant, at `share` of what the replicas can serve.

    It is not so in the middle of a rise: one that is even so far is followed ahead, a jump is seen whole by
    then. Nor while the cost of requests is a guess from a flood.
    """
    state, usual = None, share * wanted / COST
    for place in range(intervals):
        _, state = decide([look(2.0 * place, usual, wanted=wanted)], state, CONFIG)

    low, high = (
        decide([look(2.0 * intervals, rate, wanted=wanted)], state, CONFIG)[0].replicas
        for rate in sorted((one, other))
    )

    assert low <= high


@pytest.mark.parametrize("seed", range(30))
def test_a_constant_load_makes_no_action_in_an_hour_wherever_it_lies(seed):
    """`need` in replicas: any, so boundaries too; sized as it should be at the start.

    The hours are always the same ones: chance does move one in some thousands.
    """
    dice = random.Random(f"constant {seed}")  # noqa: S311 - a simulation's
    need, gateway = dice.uniform(0.5, 20), dice.random() < 0.5
    rates = by_chance(need * 24, seed)
    service = Service(wanted=max(2, -int(-need // 1)))
    began = service.wanted

    sizes = {service.see(next(rates), gateway=gateway).replicas for _ in range(1800)}

    assert sizes == {began}


@quick
@given(LOOKS)
def test_a_decision_says_why_and_depends_on_nothing_else(looks):
    samples = [
        look(2.0 * place, rate, gateway=gateway, agents=agents, in_flight=flying, failed=failed)
        for place, (rate, gateway, agents, flying, failed, _) in enumerate(looks)
    ]

    once, again = decide(samples, None, CONFIG), decide(samples, None, CONFIG)

    assert once == again
    assert once[0].rule
    assert once[0].reason
