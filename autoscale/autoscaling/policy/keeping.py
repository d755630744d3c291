"""What a state has learned that outlives it, as plain values for a file."""

from __future__ import annotations

import math
from typing import Any

from autoscaling.policy.costs import Costs
from autoscaling.policy.decide import State

TINY = 1e-9
MOST = 3600.0  # CPU seconds; no request costs more


def as_plain(state: State) -> dict[str, Any] | None:
    """Return {"means": {group: CPU seconds}, "covariance": [[group, group, value]]}.

    None while the service never was busy: what quiet taught is not sure enough.
    """
    if not isinstance(state, State) or not state.costs.busy:
        return None
    cov = [[one, two, value] for (one, two), value in state.costs.covariance.items()]
    return {"means": dict(state.costs.means), "covariance": cov}


def of_plain(plain: Any) -> Costs:
    """Return the costs again. Raises ValueError for what cannot be."""
    try:
        means = {str(group): float(mean) for group, mean in plain["means"].items()}
        cov = {(str(one), str(two)): float(value) for one, two, value in plain["covariance"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not costs: {type(error).__name__}: {error}") from error
    if not means or any(not 0 < mean <= MOST for mean in means.values()):
        raise ValueError("a cost that cannot be")
    if cov.keys() != {(one, two) for one in means for two in means}:
        raise ValueError("costs and how sure they are do not belong together")
    if not all(map(math.isfinite, cov.values())) or any(cov[group, group] < -TINY for group in means):
        raise ValueError("costs that are known with no sureness that can be")
    return Costs(means, cov, busy=True)
