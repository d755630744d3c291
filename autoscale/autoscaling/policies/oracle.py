"""An oracle: it knows the load to come. Only a simulator has one; it is what cost is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoscaling.policy.model import Config, Decision, Policy, Sample


def oracle(needs: NDArray[np.float64], bin: float, ahead: float) -> Policy:
    """needs: replicas by bin of `bin` seconds. ahead: how long a replica takes to be ready, at most."""
    width = max(1, int(np.ceil(ahead / bin)))
    padded = np.concatenate([needs, np.full(width, needs[-1])])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width + 1)[: len(needs)]
    coming = windows.max(axis=1).astype(int).tolist()

    def decide(samples: Sequence[Sample], state: Any, config: Config) -> tuple[Decision, Any]:
        place = min(int(samples[-1].at / bin), len(coming) - 1)
        return Decision(coming[place], "future", f"{coming[place]} will be needed"), state

    return decide
