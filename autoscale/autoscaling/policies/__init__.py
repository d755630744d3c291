"""The policies that can be compared, by the names that `make simulate POLICY=` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from autoscaling.policies.hpa import hpa
from autoscaling.policies.knative import knative
from autoscaling.policies.threshold import threshold
from autoscaling.policy import decide
from autoscaling.policy.model import Policy

if TYPE_CHECKING:
    from autoscaling.simulator.engine import Setup
    from autoscaling.simulator.traces import Trace


class Entry(NamedTuple):
    """build: makes the policy for a trace and a setup. gateway: whether it gets the gateway's figures."""

    build: Callable[[Trace, Setup], Policy]
    gateway: bool = True


def _oracle(trace: Trace, setup: Setup) -> Policy:
    from autoscaling.policies.oracle import oracle
    from autoscaling.simulator.metrics import demanded
    from autoscaling.simulator.traces import BIN

    ahead = setup.start[1] + setup.every + setup.delay[1]
    return oracle(demanded(trace.rate, setup), BIN, ahead)


POLICIES: Mapping[str, Entry] = {
    "default": Entry(lambda trace, setup: decide),
    "cpu-only": Entry(lambda trace, setup: decide, gateway=False),
    "hpa": Entry(lambda trace, setup: hpa),
    "knative": Entry(lambda trace, setup: knative(setup.config.cpu_target / setup.demand)),
    "threshold": Entry(lambda trace, setup: threshold),
    "oracle": Entry(_oracle),
}
