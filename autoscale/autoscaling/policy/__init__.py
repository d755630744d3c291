"""How many replicas a service should have: a pure function of what was seen of it.

    decision, state = decide(samples, state, config)

`samples` are those since the last call, oldest first (usually one), `state` is None at first and opaque after
that. Standard library only: production, the simulator and the tests run this same code.
"""

from autoscaling.labels import BadLabel
from autoscaling.policy.decide import State, decide
from autoscaling.policy.labels import config_from_labels
from autoscaling.policy.model import Config, Decision, Policy, Replica, Sample, Traffic

__all__ = [
    "BadLabel",
    "Config",
    "Decision",
    "Policy",
    "Replica",
    "Sample",
    "State",
    "Traffic",
    "config_from_labels",
    "decide",
]
