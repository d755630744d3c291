"""Intake of events from browsers: validated, appended to the journal, and stored later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logs.domain import BotDetector, IncomingEvent, InvalidEvent, is_known_bot, parse_event
from logs.services.flusher import Flusher


@dataclass(slots=True)
class IntakeResult:
    """The result of an intake; `rejected` are `(index, reason)`.

    An event that was sent before is accepted and not stored again. Events of bots are accepted too, and only
    counted.
    """

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The sender of events; `agent` is the User-Agent header.

    `user` and `session` are used with consent only. `address` belongs to one household, else it is empty: it
    is never stored, only counted in memory.
    """

    user: str | None = None
    session: str | None = None
    agent: str = ""
    address: str = ""
    consented: bool = True


class Intake:
    def __init__(
        self, *, flusher: Flusher, clock: Callable[[], datetime], bots: BotDetector, ip_limiter: BotDetector
    ) -> None:
        """Set up the intake; `bots` limits visitors, `ip_limiter` requests by address without an account."""
        self._flusher, self._clock, self._bots, self._ip_limiter = flusher, clock, bots, ip_limiter

    def events_accept(self, payload: Sequence[Any], visitor: Visitor) -> IntakeResult:
        """Accept the valid events and reject the others; raises JournalFull."""
        answer, good = IntakeResult(), self._checked(payload, visitor)
        answer.rejected = [(index, one) for index, one in enumerate(good) if isinstance(one, str)]
        events = [one for one in good if isinstance(one, IncomingEvent)]
        answer.accepted = len(events)
        kept, excluded = self._split_excluded(events, visitor)
        if kept or excluded:
            self._flusher.accept(kept, excluded)
        return answer

    def _checked(self, payload: Sequence[Any], visitor: Visitor) -> list[IncomingEvent | str]:
        now = self._clock()
        user, session = (visitor.user, visitor.session) if visitor.consented else (None, None)
        found: list[IncomingEvent | str] = []
        for one in payload:
            try:
                event = parse_event(one, now=now, user=user, session=session)
            except InvalidEvent as reason:
                found.append(str(reason))
                continue
            if not visitor.consented:
                event.session = None
            found.append(event)
        return found

    def _split_excluded(
        self, events: Sequence[IncomingEvent], visitor: Visitor
    ) -> tuple[list[IncomingEvent], Counter[str]]:
        """Return the events to store, and the number of excluded ones by reason."""
        if is_known_bot(visitor.agent):
            return [], Counter({"known": len(events)} if events else {})
        kept: list[IncomingEvent] = []
        excluded: Counter[str] = Counter()
        by_visitor: dict[str, list[IncomingEvent]] = {}
        for event in events:
            by_visitor.setdefault(event.session or event.user or "", []).append(event)
        for name, theirs in by_visitor.items():
            for event, why in zip(theirs, self._reasons(name, theirs, visitor), strict=True):
                if why:
                    excluded[why] += 1
                else:
                    kept.append(event)
        return kept, excluded

    def _reasons(self, name: str, events: Sequence[IncomingEvent], visitor: Visitor) -> Sequence[str]:
        """Return for each event the reason to exclude it, or "".

        Callers choose the name of their session, and may choose a new one each time, so the address counts
        too, except for accounts.
        """
        actions = [(event.type, event.product_id) for event in events]
        found = self._bots.classify(name, actions) if name else [""] * len(events)
        if visitor.user is None and visitor.address:
            by_address = self._ip_limiter.classify(visitor.address, actions)
            found = [one or other for one, other in zip(found, by_address, strict=True)]
        return found
