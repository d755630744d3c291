"""Events that browsers tell: checked, kept on this machine's disk, and answered. Storing comes after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logs.domain import Bots, NotAnEvent, Told, known_bot, told_event
from logs.services.draining import Drain


@dataclass(slots=True)
class IntakeAnswer:
    """`rejected` are `(index, reason)`. An event that was told before is accepted, and not stored again; what
    a bot tells is accepted too, and only counted.
    """

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who tells: `user` and `session` with consent only, `agent` their program's name for itself.

    `address` is one that belongs to one household, else empty: it is never kept, only counted in memory.
    """

    user: str | None = None
    session: str | None = None
    agent: str = ""
    address: str = ""
    consented: bool = True


class Intake:
    def __init__(self, *, drain: Drain, clock: Callable[[], datetime], bots: Bots, crowds: Bots) -> None:
        """`bots` judges people, `crowds` what comes from one address without an account."""
        self._drain, self._clock, self._bots, self._crowds = drain, clock, bots, crowds

    def events_accept(self, told: Sequence[Any], visitor: Visitor) -> IntakeAnswer:
        """Keep what is good; one bad event does not cost the others. JournalFull when nothing more fits."""
        answer, good = IntakeAnswer(), self._checked(told, visitor)
        answer.rejected = [(index, one) for index, one in enumerate(good) if isinstance(one, str)]
        events = [one for one in good if isinstance(one, Told)]
        answer.accepted = len(events)
        kept, apart = self._judged(events, visitor)
        if kept or apart:
            self._drain.accept(kept, apart)
        return answer

    def _checked(self, told: Sequence[Any], visitor: Visitor) -> list[Told | str]:
        now = self._clock()
        user, session = (visitor.user, visitor.session) if visitor.consented else (None, None)
        found: list[Told | str] = []
        for one in told:
            try:
                event = told_event(one, now=now, user=user, session=session)
            except NotAnEvent as reason:
                found.append(str(reason))
                continue
            if not visitor.consented:
                event.session = None
            found.append(event)
        return found

    def _judged(self, events: Sequence[Told], visitor: Visitor) -> tuple[list[Told], Counter[str]]:
        """What is kept, and how many are counted apart for which reason."""
        if known_bot(visitor.agent):
            return [], Counter({"known": len(events)} if events else {})
        kept: list[Told] = []
        apart: Counter[str] = Counter()
        by_visitor: dict[str, list[Told]] = {}
        for event in events:
            by_visitor.setdefault(event.session or event.user or "", []).append(event)
        for name, theirs in by_visitor.items():
            for event, why in zip(theirs, self._reasons(name, theirs, visitor), strict=True):
                if why:
                    apart[why] += 1
                else:
                    kept.append(event)
        return kept, apart

    def _reasons(self, name: str, events: Sequence[Told], visitor: Visitor) -> Sequence[str]:
        """A session is named by whoever calls, another one each time if they like: so the address counts too,
        but for accounts."""
        things = [(event.type, event.product_id) for event in events]
        found = self._bots.judge(name, things) if name else [""] * len(events)
        if visitor.user is None and visitor.address:
            crowd = self._crowds.judge(visitor.address, things)
            found = [one or other for one, other in zip(found, crowd, strict=True)]
        return found
