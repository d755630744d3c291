"""How many replicas a service should have: a pure function of what was seen of it.

    decision, state = decide(samples, state, config)

`samples` are those since the last call, oldest first (usually one), `state` is None at first and opaque after
that. Standard library only: production, the simulator and the tests run this same code.
"""

from autoscaling.labels import BadLabel
from autoscaling.policy.decide import State, begin, decide
from autoscaling.policy.keeping import as_plain, of_plain
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
    "as_plain",
    "begin",
    "config_from_labels",
    "decide",
    "of_plain",
]
