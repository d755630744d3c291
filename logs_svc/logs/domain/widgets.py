"""What became of what a shelf showed: shown, clicked, put into the cart, bought; by shelf and variant.

Additions and purchases are credited to the shelf in which the same visitor last clicked that product, when
that was at most 24 hours before. Visitors are spread over 20 buckets by a hash: the buckets' numbers add up
like all others, and how they differ tells how sure a rate is (`significance.py`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from logs.domain.events import PURCHASE, Told
from logs.domain.significance import Bucket

#: How a step is reached; the first two are told with their shelf, the others are credited to one.
STEPS = ("impression", "click", "add_to_cart", PURCHASE)
TOLD, CREDITED = frozenset(STEPS[:2]), frozenset(STEPS[2:])
WITHIN = timedelta(hours=24)
BUCKETS = 20
KEPT = 60  # shelves with a variant, the most shown ones: visitors can make up names
_ANONYMOUS = BUCKETS * len(STEPS)

#: (shelf, variant); "" for a shelf that takes part in no comparison.
Widget = tuple[str, str]
Credit = tuple[Told, Widget]


def visitor_of(event: Told) -> str | None:
    """A session, else an account; None for who did not agree."""
    return event.session or event.user


def widget_of(event: Told) -> Widget | None:
    """Where an impression or a click was; None for what names no shelf."""
    shelf = event.data.get("shelf") or event.data.get("widget")
    if event.type not in TOLD or not isinstance(shelf, str):
        return None
    variant = event.data.get("variant")
    return shelf, variant if isinstance(variant, str) else ""


@dataclass(slots=True)
class Tally:
    """The steps of one widget, by bucket; of people who did not agree impressions and clicks only, apart, for
    what they buy can be credited to nothing.
    """

    numbers: Counter[int] = field(default_factory=Counter)

    def add(self, step: str, visitor: str | None) -> None:
        place = STEPS.index(step)
        bucket = BUCKETS if visitor is None else _bucket(visitor)
        self.numbers[bucket * len(STEPS) + place] += 1

    @property
    def buckets(self) -> list[Bucket]:
        """For each bucket how often each step was reached."""
        width = len(STEPS)
        return [
            tuple(self.numbers[place + step] for step in range(width))
            for place in range(0, _ANONYMOUS, width)
        ]

    def total(self, step: str) -> int:
        """Of visitors."""
        return sum(bucket[STEPS.index(step)] for bucket in self.buckets)

    def anonymous(self, step: str) -> int:
        """Of people who did not agree."""
        return self.numbers[_ANONYMOUS + STEPS.index(step)]

    @property
    def shown(self) -> int:
        """To anybody."""
        return self.total(STEPS[0]) + self.anonymous(STEPS[0])


@dataclass(slots=True)
class Widgets:
    """Tallies by widget; put together in any order."""

    tallies: dict[Widget, Tally] = field(default_factory=dict)

    def add(self, event: Told) -> None:
        """Count an impression or a click; nothing else."""
        widget = widget_of(event)
        if widget is not None:
            self.credit(event, widget)

    def credit(self, event: Told, widget: Widget) -> None:
        """Count an event for a widget."""
        self.tallies.setdefault(widget, Tally()).add(event.type, visitor_of(event))

    def update(self, other: Widgets) -> None:
        """This and the other one."""
        for widget, tally in other.tallies.items():
            self.tallies.setdefault(widget, Tally()).numbers.update(tally.numbers)

    def trim(self, slack: int) -> None:
        """Leave the most shown, once there are `slack` times as many."""
        if len(self.tallies) > slack * KEPT:
            most = sorted(self.tallies.items(), key=lambda pair: (-pair[1].shown, pair[0]))
            self.tallies = dict(most[:KEPT])

    def stored(self) -> list[Any]:
        """As JSON, `[shelf, variant, [place, number, …]]`: names that visitors choose are no keys."""
        return [
            [*widget, [one for pair in sorted(tally.numbers.items()) for one in pair]]
            for widget, tally in self.tallies.items()
        ]

    @classmethod
    def read(cls, stored: Iterable[Sequence[Any]]) -> Widgets:
        return cls(
            {
                (shelf, variant): Tally(Counter(dict(zip(numbers[::2], numbers[1::2], strict=True))))
                for shelf, variant, numbers in stored
            }
        )


def _bucket(visitor: str) -> int:
    """Always the same, and another draw than the one by which visitors get a variant."""
    digest = hashlib.blake2b(visitor.encode(), digest_size=4, person=b"widgets").digest()
    return int.from_bytes(digest, "big") % BUCKETS
