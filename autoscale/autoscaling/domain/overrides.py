"""What people told the autoscaler at its page: pauses, other limits, and the kill switch. They outlive
deploys, for the stack file's labels do not hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HOLD = "hold"
MOST = 1000


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
        """The service's labels with these over them. Where only one limit was told, the other makes way."""
        own = self.of(service)
        merged = {**labels, **{f"autoscale.{name}": value for name, value in own.items()}}
        low, high = merged.get("autoscale.min", "1"), merged.get("autoscale.max", "")
        if own and low.isdigit() and high.isdigit() and int(low) > int(high):
            merged["autoscale.min" if "max" in own else "autoscale.max"] = high if "max" in own else low
        return merged

    def with_hold(self, on: bool) -> dict[str, str]:
        return self._changed({HOLD: "true" if on else None})

    def with_pause(self, service: str, on: bool) -> dict[str, str]:
        return self._changed({f"{service}:paused": "true" if on else None})

    def with_limits(self, service: str, low: int | None, high: int | None) -> dict[str, str]:
        """None: as the label says. Raises BadOverride."""
        for limit in (low, high):
            if limit is not None and not 1 <= limit <= MOST:
                raise BadOverride(f"Limits are whole numbers from 1 to {MOST}.")
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
