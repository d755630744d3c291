"""A service's `autoscale.*` labels as a Config."""

from __future__ import annotations

from collections.abc import Mapping

from autoscaling.labels import PREFIX, BadLabel, flag, limit, number
from autoscaling.policy.model import Config

DEFAULT = Config()
NAMES = frozenset({"enabled", "min", "max", "cpu-target", "step", "cooldown", "trend", "paused"})


def config_from_labels(labels: Mapping[str, str]) -> Config | None:
    """Return the Config of a service, or None when it is not to be scaled (no `autoscale.enabled=true`).

    Raises BadLabel for a value out of range, an unknown `autoscale.` label, or min above max.
    """
    own = {name.removeprefix(PREFIX) for name in labels if name.startswith(PREFIX)}
    if unknown := sorted(own - NAMES):
        raise BadLabel(f"{PREFIX}{unknown[0]}: no such label")
    if not flag(labels, "enabled"):
        return None
    config = Config(
        min=limit(labels, "min"),
        max=limit(labels, "max"),
        cpu_target=number(labels, "cpu-target", DEFAULT.cpu_target, 0.05, 64),
        step=number(labels, "step", DEFAULT.step, 0.01, 1),
        cooldown=number(labels, "cooldown", DEFAULT.cooldown, 10, 3600),
        trend=number(labels, "trend", DEFAULT.trend, 0, 60),
        paused=flag(labels, "paused"),
    )
    if config.min > config.max:
        raise BadLabel(f"{PREFIX}min: {config.min} is above {PREFIX}max, {config.max}")
    return config
