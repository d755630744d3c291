"""What requests cost, learned while a service is too quiet for it to be plain."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from looks import by_chance, look

from autoscaling.policy import Config, Sample, decide
from autoscaling.policy.costs import Costs, asked, learn
from autoscaling.simulator.engine import Setup, simulate
from autoscaling.simulator.traces import Trace

GRAIN = 0.01


def quiet(
    rate: float, seconds: float, *, cost: float = 0.005, idle: float = 0.01, wanted: int = 2, seed: int = 1
) -> Costs:
    """So long at so few requests, of replicas that use `idle` by themselves, now more, now less."""
    dice = random.Random(f"used {seed}")  # noqa: S311 - a simulation's
    rates, costs = by_chance(rate, seed), Costs()
    for place in range(int(seconds / 2)):
        sample = look(2.0 * place, next(rates), wanted=wanted)
        count = sum(sample.traffic.completed.values())
        used = sum(dice.expovariate(1 / cost) for _ in range(int(count)))
        used += wanted * 2.0 * idle * 2 * dice.random()
        costs = learn(costs, sample, used, 0.6, GRAIN)
    return costs


def flood(cpu_each: float) -> Sample:
    """320 requests in two seconds, with replicas at half of their CPU."""
    return look(9999.0, 160.0, costs={"all": cpu_each})


@pytest.mark.parametrize("seed", range(5))
def test_a_quiet_service_is_learned_in_a_quarter_of_an_hour_and_never_too_dear(seed):
    costs = quiet(4.0, 900, seed=seed)

    known = asked(costs, {"all": 1.0})

    assert not costs.busy
    assert known is not None
    assert 0.002 <= known <= 0.0055


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("idle", [0.01, 0.03])
def test_what_replicas_do_by_themselves_is_not_taken_for_the_cost_of_rare_requests(seed, idle):
    """At a request in five seconds, replicas use ten times and more what it costs."""
    costs = quiet(0.2, 900, idle=idle, seed=seed)

    assert (asked(costs, {"all": 1.0}) or 0.0) <= 0.012


def test_a_request_of_a_kind_never_seen_counts_nothing_while_it_is_quiet():
    costs = quiet(4.0, 900)

    assert asked(costs, {"all": 100.0, "new": 1000.0}) == asked(costs, {"all": 100.0})


def test_the_first_busy_interval_goes_before_everything_that_quiet_taught():
    costs = quiet(4.0, 900)
    sample = flood(0.003)
    used = sum(replica.cpu for replica in sample.replicas)

    awake = learn(costs, sample, used, 0.6, GRAIN)

    assert awake == learn(Costs(), sample, used, 0.6, GRAIN)
    assert awake.busy
    assert awake.means == pytest.approx({"all": 0.003})


def test_a_service_that_was_busy_once_keeps_what_it_knows_when_it_is_quiet():
    sample = flood(0.003)
    awake = learn(Costs(), sample, sum(replica.cpu for replica in sample.replicas), 0.6, GRAIN)

    assert learn(awake, look(10_001.0, 1.0), 0.05, 0.6, GRAIN) == awake


def test_an_idle_service_without_any_request_knows_no_cost():
    costs = Costs()
    for place in range(1000):
        costs = learn(costs, look(2.0 * place, {}), 0.04 * (place % 2), 0.6, GRAIN)

    assert asked(costs, {"all": 5.0}) is None
    assert costs.covariance


def test_a_step_of_a_service_too_idle_to_know_its_costs_is_seen_with_the_first_whole_interval():
    """4 to 150 requests a second of 3 ms, replicas of 0.12 that use 0.008 by themselves."""
    setup = Setup(Config(min=2, max=10, cpu_target=0.12), demand=0.003, idle=0.008)
    rate = np.concatenate([np.full(9000, 4.0), np.full(300, 150.0)])

    runs = [simulate(Trace("idle", rate), decide, setup, seed) for seed in range(1, 11)]

    delays = [run.calls[0].at - 900 for run in runs]
    assert min(delays) > 0
    assert np.mean(delays) <= 3.3
    assert {run.calls[0].decision.rule for run in runs} == {"requests"}


@pytest.mark.parametrize(("before", "after"), [(0.2, 3.0), (0.5, 50.0), (4.0, 100.0)])
def test_what_an_idle_replica_uses_by_itself_is_never_taken_for_demand(before, after):
    """Requests of 5 ms: one replica is enough for any of these."""
    rate = np.concatenate([np.full(9000, before), np.full(1200, after)])
    setup = Setup(Config(min=1, max=24), demand=0.005)

    for idle in (0.0, 0.008, 0.03):
        run = simulate(Trace("idle", rate), decide, replace(setup, idle=idle), 1)
        assert run.calls == []
