"""A service's `autoscale.*` labels as a Config."""

from __future__ import annotations

from collections.abc import Mapping

from autoscaling.policy.model import Config

PREFIX = "autoscale."
DEFAULT = Config()
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
NAMES = frozenset({"enabled", "min", "max", "cpu-target", "step", "cooldown", "trend", "paused"})


class BadLabel(ValueError):
    """A label that says nothing usable. The message names it; whoever reads it leaves the service alone."""


def config_from_labels(labels: Mapping[str, str]) -> Config | None:
    """The Config of a service, or None when it is not to be scaled (no `autoscale.enabled=true`).

    Raises BadLabel for a value out of range, an unknown `autoscale.` label, or min above max.
    """
    own = {name.removeprefix(PREFIX): value for name, value in labels.items() if name.startswith(PREFIX)}
    if unknown := sorted(own.keys() - NAMES):
        raise BadLabel(f"{PREFIX}{unknown[0]}: no such label")
    if not _flag(own, "enabled"):
        return None
    config = Config(
        min=int(_number(own, "min", DEFAULT.min, 1, 1000, whole=True)),
        max=int(_number(own, "max", DEFAULT.max, 1, 1000, whole=True)),
        cpu_target=_number(own, "cpu-target", DEFAULT.cpu_target, 0.05, 64),
        step=_number(own, "step", DEFAULT.step, 0.01, 1),
        cooldown=_number(own, "cooldown", DEFAULT.cooldown, 10, 3600),
        trend=_number(own, "trend", DEFAULT.trend, 0, 60),
        paused=_flag(own, "paused"),
    )
    if config.min > config.max:
        raise BadLabel(f"{PREFIX}min: {config.min} is above {PREFIX}max, {config.max}")
    return config


def _flag(labels: Mapping[str, str], name: str) -> bool:
    text = labels.get(name, "false").strip().lower()
    if text not in TRUE + FALSE:
        raise BadLabel(f"{PREFIX}{name}: {text!r} is neither true nor false")
    return text in TRUE


def _number(
    labels: Mapping[str, str], name: str, default: float, low: float, high: float, whole: bool = False
) -> float:
    """A plain number; `25%` is 0.25, `120s` is 120."""
    text = labels.get(name, "").strip() or str(default)
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%").removesuffix("s")) / (100 if percent else 1)
    except ValueError:
        raise BadLabel(f"{PREFIX}{name}: {text!r} is not a number") from None
    if not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise BadLabel(f"{PREFIX}{name}: {text!r} is not {kind} from {low:g} to {high:g}")
    return value
