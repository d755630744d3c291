"""Overrides that people set at the autoscaler's page: pauses, other limits, and the kill switch.

They outlive deploys, for the stack file's labels do not hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaling.labels import MOST_REPLICAS, PREFIX, BadLabel, limit

HOLD = "hold"


class BadOverride(ValueError):
    """A change that makes no sense; the text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """As the proxy keeps them: `{"hold": "true", "<service>:max": "8", …}` and their version."""

    version: int = 0
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def hold(self) -> bool:
        """The kill switch: nothing is written while it is on."""
        return self.told.get(HOLD) == "true"

    def of(self, service: str) -> dict[str, str]:
        """`{"min": "2", "paused": "true"}` of one service."""
        start = f"{service}:"
        return {
            name.removeprefix(start): value for name, value in self.told.items() if name.startswith(start)
        }

    def labels(self, service: str, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the service's labels with these overrides over them.

        Where only one limit was overridden, the other makes way, whether a label names it or not.
        """
        own = self.of(service)
        merged = {**labels, **{PREFIX + name: value for name, value in own.items()}}
        told = {"min", "max"} & own.keys()
        try:
            low, high = limit(merged, "min"), limit(merged, "max")
        except BadLabel:  # whoever makes a Config of these says so
            return merged
        if told and low > high:
            merged[f"{PREFIX}min" if "max" in told else f"{PREFIX}max"] = str(high if "max" in told else low)
        return merged

    @property
    def services(self) -> set[str]:
        """Of which anything was told."""
        return {name.rpartition(":")[0] for name in self.told if ":" in name}

    def with_hold(self, on: bool) -> dict[str, str]:
        return self._changed({HOLD: "true" if on else None})

    def with_pause(self, service: str, on: bool) -> dict[str, str]:
        return self._changed({f"{service}:paused": "true" if on else None})

    def with_limits(self, service: str, low: int | None, high: int | None) -> dict[str, str]:
        """None: as the label says. Raises BadOverride."""
        for told in (low, high):
            if told is not None and not 1 <= told <= MOST_REPLICAS:
                raise BadOverride(f"Limits are whole numbers from 1 to {MOST_REPLICAS}.")
        if low is not None and high is not None and low > high:
            raise BadOverride(f"The minimum, {low}, is above the maximum, {high}.")
        return self._changed(
            {
                f"{service}:min": None if low is None else str(low),
                f"{service}:max": None if high is None else str(high),
            }
        )

    def _changed(self, change: Mapping[str, str | None]) -> dict[str, str]:
        return {name: value for name, value in {**self.told, **change}.items() if value is not None}
