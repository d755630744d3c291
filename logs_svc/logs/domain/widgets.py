"""Conversion counts of widgets: shown, clicked, added to the cart, bought; by shelf and variant.

A widget is a shelf with a variant. Additions and purchases are credited to the widget in which the same
visitor last clicked that product, at most 24 hours before. Visitors are spread over 20 buckets by a hash: the
buckets' counts add up like all others, and their variance gives the confidence interval of a rate
(`significance.py`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from logs.domain.events import PURCHASE, IncomingEvent
from logs.domain.significance import Bucket

#: The first two steps are reported with their shelf, the others are credited to one.
STEPS = ("impression", "click", "add_to_cart", PURCHASE)
DIRECT_STEPS, CREDITED_STEPS = frozenset(STEPS[:2]), frozenset(STEPS[2:])
ATTRIBUTION_WINDOW = timedelta(hours=24)
BUCKETS = 20
MAX_WIDGETS = 60  # the most shown are kept: visitors can make up names
_ANONYMOUS = BUCKETS * len(STEPS)

#: (shelf, variant); the variant is "" for a shelf that takes part in no comparison.
Widget = tuple[str, str]
Credit = tuple[IncomingEvent, Widget]


def visitor_of(event: IncomingEvent) -> str | None:
    """Return the session, else the account; None for visitors without consent."""
    return event.session or event.user


def widget_of(event: IncomingEvent) -> Widget | None:
    """Return the widget of an impression or a click; None if it names no shelf."""
    shelf = event.data.get("shelf") or event.data.get("widget")
    if event.type not in DIRECT_STEPS or not isinstance(shelf, str):
        return None
    variant = event.data.get("variant")
    return shelf, variant if isinstance(variant, str) else ""


@dataclass(slots=True)
class Tally:
    """The steps of one widget, counted by bucket of visitors.

    Impressions and clicks without consent are in a bucket of their own, because their purchases cannot be
    credited.
    """

    numbers: Counter[int] = field(default_factory=Counter)

    def add(self, step: str, visitor: str | None) -> None:
        place = STEPS.index(step)
        bucket = BUCKETS if visitor is None else _bucket(visitor)
        self.numbers[bucket * len(STEPS) + place] += 1

    @property
    def buckets(self) -> list[Bucket]:
        """The count of each step, for each bucket."""
        width = len(STEPS)
        return [
            tuple(self.numbers[place + step] for step in range(width))
            for place in range(0, _ANONYMOUS, width)
        ]

    def total(self, step: str) -> int:
        """Count a step of visitors with consent."""
        return sum(bucket[STEPS.index(step)] for bucket in self.buckets)

    def anonymous(self, step: str) -> int:
        """Count a step of visitors without consent."""
        return self.numbers[_ANONYMOUS + STEPS.index(step)]

    @property
    def shown(self) -> int:
        """The number of impressions, with and without consent."""
        return self.total(STEPS[0]) + self.anonymous(STEPS[0])


@dataclass(slots=True)
class Widgets:
    """Tallies by widget, which can be merged in any order."""

    tallies: dict[Widget, Tally] = field(default_factory=dict)

    def add(self, event: IncomingEvent) -> None:
        """Count an impression or a click; ignore everything else."""
        widget = widget_of(event)
        if widget is not None:
            self.credit(event, widget)

    def credit(self, event: IncomingEvent, widget: Widget) -> None:
        """Count an event for a widget."""
        self.tallies.setdefault(widget, Tally()).add(event.type, visitor_of(event))

    def update(self, other: Widgets) -> None:
        """Add the tallies of another object."""
        for widget, tally in other.tallies.items():
            self.tallies.setdefault(widget, Tally()).numbers.update(tally.numbers)

    def trim(self, slack: int) -> None:
        """Keep the most shown widgets, once there are `slack` times as many as the limit."""
        if len(self.tallies) > slack * MAX_WIDGETS:
            most = sorted(self.tallies.items(), key=lambda pair: (-pair[1].shown, pair[0]))
            self.tallies = dict(most[:MAX_WIDGETS])

    def to_document(self) -> list[Any]:
        """Return JSON data `[shelf, variant, [place, number, …]]`; names that visitors choose are no keys."""
        return [
            [*widget, [one for pair in sorted(tally.numbers.items()) for one in pair]]
            for widget, tally in self.tallies.items()
        ]

    @classmethod
    def from_document(cls, stored: Iterable[Sequence[Any]]) -> Widgets:
        return cls(
            {
                (shelf, variant): Tally(Counter(dict(zip(numbers[::2], numbers[1::2], strict=True))))
                for shelf, variant, numbers in stored
            }
        )


def _bucket(visitor: str) -> int:
    """Return a visitor's bucket, which is independent of the draw that gives visitors a variant."""
    digest = hashlib.blake2b(visitor.encode(), digest_size=4, person=b"widgets").digest()
    return int.from_bytes(digest, "big") % BUCKETS
