"""What is decided, and why, by example."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from looks import CONFIG, Service, look

from autoscaling.policy import decide


def test_a_steady_load_is_left_alone():
    service = Service()

    decision = service.see(40, seconds=600)

    assert (decision.replicas, decision.rule) == (2, "steady")
    assert {each.replicas for each in service.decisions} == {2}


def test_a_jump_in_requests_is_followed_at_once_and_in_proportion():
    service = Service()
    service.see(40, seconds=200)

    decision = service.see(320, in_flight=400, ready=2)

    assert decision.rule == "surge"
    assert decision.replicas >= 14


def test_replicas_that_start_are_not_asked_for_again():
    service = Service()
    service.see(40, seconds=200)
    asked = service.see(320, in_flight=400, ready=2).replicas

    later = service.see(320, seconds=4, in_flight=400, ready=2)

    assert later.replicas == asked


def test_the_surplus_of_a_surge_is_given_back_after_a_minute():
    service = Service()
    service.see(40, seconds=200)
    peak = service.see(320, in_flight=400, ready=2).replicas

    for_a_minute = {service.see(320).replicas for _ in range(30)}
    service.see(320, seconds=240)

    assert for_a_minute == {peak}
    assert 14 <= service.wanted < peak


def test_less_load_counts_only_after_the_cooldown_and_goes_in_steps():
    service = Service(wanted=12)
    service.see(280, seconds=200)
    before = service.wanted

    sizes = [service.see(40).replicas for _ in range(200)]

    assert sizes[:55] == [before] * 55
    falls = [(one, two) for one, two in pairwise(sizes) if two != one]
    assert all(two < one and one - two <= max(1, one // 4) for one, two in falls)
    changes = [place for place, (one, two) in enumerate(pairwise(sizes)) if one != two]
    assert all((two - one) * 2 >= 15 for one, two in pairwise(changes))
    assert sizes[-1] == 2


def test_a_dip_shorter_than_the_cooldown_changes_nothing():
    service = Service(wanted=12)
    service.see(280, seconds=200)
    before = service.wanted

    service.see(40, seconds=100)
    service.see(280, seconds=200)

    assert {each.replicas for each in service.decisions[100:]} == {before}


def test_without_the_gateways_figures_cpu_decides():
    service = Service()
    service.see(40, seconds=200, gateway=False)

    decision = service.see(70, seconds=30, gateway=False)

    assert decision.replicas == 3


def test_saturated_replicas_without_requests_to_tell_more_make_it_leap():
    service = Service()
    service.see(40, seconds=200, gateway=False)

    decision = service.see(320, gateway=False)

    assert (decision.rule, decision.replicas) == ("saturated", 5)


def test_after_a_leap_it_waits_for_the_replicas():
    service = Service()
    service.see(40, seconds=200, gateway=False)
    service.see(320, gateway=False)

    waiting = service.see(320, seconds=6, gateway=False, ready=2)

    assert waiting.replicas == 5


def test_a_flood_of_costly_requests_of_a_kind_never_seen_is_sized_by_what_they_cost():
    """A log-in takes a hundred times the CPU of a key-set read."""
    costs = {"jwks": 0.002, "login": 0.2}
    service = Service()
    service.see({"jwks": 200.0}, seconds=200, costs=costs)
    flood = {"jwks": 200.0, "login": 20.0}

    first = service.see(flood, costs=costs, ready=2, in_flight=30, completed={"jwks": 400.0, "login": 10.0})
    service.see(flood, seconds=10, costs=costs)

    assert (first.rule, first.replicas >= 5) == ("surge", True)
    assert 8 <= service.wanted <= 12


def test_costs_are_learned_by_group():
    costs = {"cheap": 0.005, "dear": 0.1}
    service = Service(wanted=4)
    for turn in range(300):
        dear = 4.0 + 3 * (turn % 2)
        service.see({"cheap": 100.0 - 30 * (turn % 3), "dear": dear}, costs=costs)

    assert service.state.costs.means == pytest.approx(costs, rel=0.1)


def test_nothing_is_decided_while_figures_are_stale():
    service = Service(wanted=8)
    service.see(40, seconds=20)

    decision = service.see(0, seconds=300, gateway=False, agents=False)

    assert (decision.replicas, decision.rule) == (8, "stale")


def test_after_half_a_minute_without_figures_it_watches_for_a_cooldown_before_it_removes():
    service = Service(wanted=8)
    service.see(40, seconds=100)
    service.see(0, seconds=60, gateway=False, agents=False)

    held = [service.see(40) for _ in range(59)]
    service.see(40, seconds=60)

    assert {each.replicas for each in held} == {8}
    assert {each.rule for each in held} == {"young"}
    assert service.wanted < 8


def test_a_fresh_start_watches_for_a_cooldown_before_it_removes_but_helps_at_once():
    idle, flooded = Service(wanted=8), Service(wanted=2)

    assert {idle.see(40).replicas for _ in range(59)} == {8}
    flooded.see(60, seconds=10)
    assert flooded.see(320, in_flight=300, ready=2).replicas > 8


@pytest.mark.parametrize("cooldown", [120.0, 20.0])
def test_the_one_replica_of_a_small_growth_stays_for_five_cooldowns(cooldown):
    service = Service(config=replace(CONFIG, cooldown=cooldown))
    service.see(40, seconds=200)
    service.see(65, seconds=30)
    assert service.wanted == 3

    service.see(40, seconds=5 * cooldown - 40)
    before = service.wanted
    service.see(40, seconds=60)

    assert (before, service.wanted) == (3, 2)


def test_nothing_is_removed_while_errors_rise_as_traffic_falls():
    service = Service(wanted=12)
    service.see(280, seconds=300)
    before = service.wanted

    service.see(40, seconds=100)
    decision = service.see(40, seconds=60, failed=20.0)

    assert (decision.replicas, decision.rule) == (before, "errors")


@pytest.mark.parametrize(("rate", "failed"), [(40, 40.0), (40, 80.0), (20, 40.0)])
def test_nothing_is_removed_in_an_outage_that_begins_as_traffic_falls(rate, failed):
    service = Service(wanted=12)
    service.see(280, seconds=300)
    before = service.wanted

    decision = service.see(rate, seconds=400, failed=failed)
    during = service.wanted
    service.see(40, seconds=300)

    assert (decision.rule, during) == ("errors", before)
    assert service.wanted < before  # when it is over


def test_an_outage_of_most_requests_is_one_for_as_long_as_it_lasts():
    service = Service(wanted=12)
    service.see(280, seconds=300)
    before = service.wanted

    decision = service.see(40, seconds=3 * 3600, failed=40.0)

    assert (decision.rule, service.wanted) == ("errors", before)


def test_an_autoscaler_that_begins_in_an_outage_removes_nothing():
    service = Service(wanted=12)

    decision = service.see(40, seconds=1000, failed=80.0)

    assert (decision.rule, service.wanted) == ("errors", 12)


def test_what_always_fails_is_no_outage():
    service = Service(wanted=12)
    service.see(280, seconds=300, failed=56.0)

    service.see(40, seconds=300, failed=8.0)

    assert service.wanted < 12


def test_a_clock_that_is_put_back_neither_forgets_what_requests_cost_nor_blocks_for_long():
    service = Service(wanted=4)
    service.see(90, seconds=300)

    service.at -= 600
    steady = service.see(90, seconds=30).replicas
    jump = service.see(360, seconds=4, in_flight=300, ready=4).replicas
    service.see(20, seconds=700)

    assert steady == 4
    assert jump >= 12
    assert service.wanted == 2


def test_an_update_that_runs_holds_everything_but_the_minimum():
    def rule(wanted: int) -> tuple[int, str]:
        decision, _ = decide([look(2.0, 900, wanted=wanted, updating=True)], None, CONFIG)
        return decision.replicas, decision.rule

    assert rule(4) == (4, "updating")
    assert rule(1) == (2, "min")


def test_a_service_without_a_single_ready_replica_is_sized_by_its_load_and_no_more():
    service = Service()
    service.see(40, seconds=200)

    decision = service.see(48, seconds=60, ready=0, in_flight=2000)

    assert decision.replicas == 2


def test_a_replica_of_two_processors_is_not_full_with_one():
    config = replace(CONFIG, cpu_target=1.2)
    service = Service(wanted=4, config=config)

    for _ in range(100):
        service.see(160, gateway=False)

    assert {each.rule for each in service.decisions} <= {"steady", "young"}


def test_clockwork_traffic_does_not_end_in_a_division_by_nothing():
    service = Service()

    service.see(40, seconds=40_000)

    assert service.see(42).replicas == 2


def test_a_paused_service_is_never_touched():
    for wanted in (0, 1, 5, 40):
        decision, _ = decide([look(2.0, 900, wanted=wanted)], None, replace(CONFIG, paused=True))

        assert (decision.replicas, decision.rule) == (wanted, "paused")


def test_more_than_the_maximum_is_brought_down_to_it():
    decision, _ = decide([look(2.0, wanted=30)], None, CONFIG)

    assert (decision.replicas, decision.rule) == (24, "max")


def test_what_the_nodes_cannot_hold_is_reported_and_not_asked_for():
    service = Service()
    service.see(40, seconds=200, room=6)

    first = service.see(320, ready=2, in_flight=400, room=6)
    then = service.see(320, ready=6, in_flight=400, room=6)

    assert (first.replicas, first.blocked > 0) == (6, True)
    assert (then.replicas, then.rule, then.blocked > 0) == (6, "full", True)


def test_a_room_that_shrank_removes_nothing():
    service = Service(wanted=8)
    service.see(180, seconds=200, room=8)

    decision = service.see(320, seconds=20, room=3)

    assert decision.replicas == 8


def test_the_trend_label_orders_ahead_of_steady_growth():
    def ordered_at(trend: float) -> float:
        service = Service(wanted=4, config=replace(CONFIG, trend=trend))
        rate = 80.0
        while service.wanted == 4:
            rate += 0.5
            service.see(rate)
        return rate

    assert ordered_at(30.0) < ordered_at(0.0) - 4


def test_several_samples_at_once_are_taken_one_after_the_other():
    samples = [look(2.0 * place, 40 if place < 80 else 320, in_flight=300) for place in range(1, 82)]
    one, state = None, None
    for sample in samples:
        one, state = decide([sample], state, CONFIG)

    together, other = decide(samples, None, CONFIG)

    assert (together, other) == (one, state)
