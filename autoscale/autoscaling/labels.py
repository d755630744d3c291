"""How a service's `autoscale.*` labels are written: read alike by who decides and by who lets it write.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "autoscale."
ENABLED = f"{PREFIX}enabled"
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
MOST_REPLICAS = 1000
LIMITS = {"min": 1, "max": 10}
"""What the limits are where no label tells them."""


class BadLabel(ValueError):
    """A label that says nothing usable. The message names it; whoever reads it leaves the service alone."""


def flag(labels: Mapping[str, str], name: str) -> bool:
    """`autoscale.<name>`; False without it. Raises BadLabel."""
    text = labels.get(PREFIX + name, "false").strip().lower()
    if text not in TRUE + FALSE:
        raise BadLabel(f"{PREFIX}{name}: {text!r} is neither true nor false")
    return text in TRUE


def limit(labels: Mapping[str, str], name: str) -> int:
    """`autoscale.min` or `autoscale.max`, replicas. Raises BadLabel."""
    return int(number(labels, name, LIMITS[name], 1, MOST_REPLICAS, whole=True))


def number(
    labels: Mapping[str, str], name: str, default: float, low: float, high: float, whole: bool = False
) -> float:
    """Return a plain number; `25%` is 0.25, `120s` is 120. Raises BadLabel."""
    text = labels.get(PREFIX + name, "").strip() or str(default)
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%").removesuffix("s")) / (100 if percent else 1)
    except ValueError:
        raise BadLabel(f"{PREFIX}{name}: {text!r} is not a number") from None
    if not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise BadLabel(f"{PREFIX}{name}: {text!r} is not {kind} from {low:g} to {high:g}")
    return value
