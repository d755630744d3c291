"""The policies of others, by the examples of their own sources."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from looks import CONFIG, look

from autoscaling.policies.hpa import hpa, limited, replicas
from autoscaling.policies.knative import STABLE, knative
from autoscaling.policies.threshold import threshold
from autoscaling.policy import Config, Replica, Sample


def pods(cpu: list[float | None], *, ready: int | None = None, young: bool = False) -> Sample:
    """One pod per figure; None has no metrics. At second 1000; a young pod started 60 s ago."""
    started = 940.0 if young else 0.0
    found = [
        Replica(place, ready is None or place < ready, started, started, figure)
        for place, figure in enumerate(cpu)
    ]
    return Sample(1000.0, 15.0, len(cpu), found, None)


def proposed(sample: Sample, target: float, read_at: float = 1000.0) -> int | None:
    metrics = {pod.id: pod.cpu for pod in sample.replicas if pod.cpu is not None}
    return replicas(sample, metrics, read_at, Config(min=1, max=100, cpu_target=target))


# The first column names the test of replica_calculator_test.go whose figures these are.
@pytest.mark.parametrize(
    ("name", "cpu", "target", "expected"),
    [
        ("ScaleUp", [0.3, 0.5, 0.7], 0.3, 5),
        ("ScaleDown", [0.1, 0.3, 0.5, 0.25, 0.25], 0.5, 3),
        ("Tolerance", [0.9, 1.0, 1.1], 0.93, 3),
        ("MissingMetricsScaleUp", [None, 0.9, 0.9, 0.9], 0.5, 6),
        ("MissingMetricsNoChangeEq", [None, 1.0], 1.0, 2),
        ("MissingMetricsNoChangeGt", [None, 1.9], 1.0, 2),
        ("MissingMetricsNoChangeLt", [None, 0.6], 1.0, 2),
        ("NoMetrics", [None, None], 1.0, None),
    ],
)
def test_hpa_proposes_what_its_source_does(name, cpu, target, expected):
    assert proposed(pods(cpu), target) == expected


def test_hpa_takes_pods_that_are_not_ready_yet_for_idle_when_it_grows():
    """ScaleUpUnreadyLessScale."""
    assert proposed(pods([0.5, 0.7, 0.3], ready=2, young=True), 0.3) == 4


def test_hpa_ignores_a_pod_whose_reading_began_before_it_was_ready():
    fresh = pods([0.9, 0.9], young=True)

    assert proposed(fresh, 0.3, read_at=950.0) is None
    assert proposed(fresh, 0.3, read_at=956.0) == 6


@pytest.mark.parametrize(
    ("size", "current", "expected"), [(90, 1, 4), (90, 2, 4), (90, 10, 20), (3, 2, 3), (0, 9, 1)]
)
def test_hpa_grows_to_twice_as_many_or_4_pods_in_a_sync_whichever_is_more(size, current, expected):
    assert limited(size, current, Config(min=1, max=100)) == expected


def test_hpa_goes_on_to_what_it_recommended_within_300_seconds_though_the_load_is_gone():
    """`stabilizeRecommendation` looks at no current size: what the limit of a sync held back comes later."""
    config, state, wanted, sizes = Config(min=1, max=100, cpu_target=0.2), None, 2, {}
    for place in range(1, 240):
        rate = 160.0 if place <= 10 else 1.0
        decision, state = hpa([look(2.0 * place, rate, wanted=wanted, gateway=False)], state, config)
        wanted = sizes[2.0 * place] = decision.replicas

    changes = {at: size for at, size in sizes.items() if size != sizes.get(at - 2.0)}
    assert changes == {2.0: 2, 10.0: 4, 26.0: 8, 40.0: 16, 56.0: 20, 340.0: 3, 356.0: 1}


@pytest.mark.parametrize(("wanted", "expected"), [(1, 3), (9, 6)])
def test_hpa_brings_what_is_outside_of_its_limits_back_without_any_metrics(wanted, expected):
    config, state = Config(min=3, max=6), None
    for place in range(1, 10):
        sample = look(2.0 * place, wanted=wanted, gateway=False, agents=False)
        decision, state = hpa([sample], state, config)
        if decision.rule != "between":
            break

    assert (decision.replicas, decision.rule) == (expected, "limits")


def test_hpa_syncs_every_15_seconds_and_shrinks_only_after_300():
    state, wanted, sizes = None, 10, {}
    for place in range(1, 400):
        rate = 400.0 if place < 50 else 100.0
        decision, state = hpa([look(2.0 * place, rate, wanted=wanted, gateway=False)], state, CONFIG)
        wanted = sizes[2.0 * place] = decision.replicas

    changes = [two for one, two in pairwise(sizes) if sizes[one] != sizes[two]]
    assert all(two - one >= 14 for one, two in pairwise(changes))
    assert {size >= 17 for at, size in sizes.items() if 60 <= at < 98 + 300} == {True}
    assert wanted == 4  # 12.5 % counts as 12 %


def test_knative_panics_at_twice_what_is_ready_and_does_not_shrink_then():
    policy = knative(24.0)
    state, sizes = None, []
    for place in range(1, 150):
        rate = 400.0 if place in range(60, 66) else 40.0
        decision, state = policy([look(2.0 * place, rate, wanted=2)], state, CONFIG)
        sizes.append((decision.rule, decision.replicas))

    assert sizes[40] == ("stable", 2)
    assert sizes[61] == ("panic", 17)
    assert sizes[90] == ("panic", 17)
    assert sizes[-1] == ("stable", 2)


def test_knative_leaves_its_panic_a_stable_window_after_the_last_cause_of_it():
    policy = knative(24.0)
    state, rules = None, {}
    for place in range(1, 120):
        rate = 400.0 if place in range(60, 66) else 40.0
        decision, state = policy([look(2.0 * place, rate, wanted=2)], state, CONFIG)
        rules[2.0 * place] = (decision.rule, decision.replicas)

    panic = [at for at, (rule, _) in rules.items() if rule == "panic" and at > 100]
    last = 134.0  # the newest 6 s hold a second of the flood and ask for twice what is ready
    assert (panic[0], panic[-1]) == (120.0, last + STABLE)
    assert {rules[at] for at in panic if at >= 124} == {("panic", 17)}
    assert rules[last + STABLE + 2] == ("stable", 2)


def test_knative_that_starts_with_several_replicas_starts_in_panic_and_ends_it_too():
    policy, state, rules = knative(24.0), None, []
    for place in range(1, 40):
        decision, state = policy([look(2.0 * place, 40.0, wanted=4)], state, CONFIG)
        rules.append((decision.rule, decision.replicas))

    assert rules[:31] == [("panic", 4)] * 31
    assert rules[31:] == [("stable", 2)] * 8


def test_knative_holds_without_figures():
    decision, _ = knative(24.0)([look(2.0, gateway=False)], None, CONFIG)

    assert (decision.replicas, decision.rule) == (2, "no-data")


def test_thresholds_move_by_one_and_at_most_every_ten_seconds():
    state, wanted, sizes = None, 2, []
    for place in range(1, 60):
        rate = 400.0 if place < 30 else 10.0
        sample = look(2.0 * place, rate, wanted=wanted)
        decision, state = threshold([sample], state, replace(CONFIG, max=5))
        wanted = decision.replicas
        sizes.append(wanted)

    assert sizes[:29] == [2] * 5 + [3] * 5 + [4] * 5 + [5] * 14
    assert sizes[-1] == 2
    assert all(abs(two - one) <= 1 for one, two in pairwise(sizes))
