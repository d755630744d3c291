"""Events that browsers tell: quickly in, in one write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.couch import Repository
from logs.domain import Event, NotAnEvent, reported_event


@dataclass(slots=True)
class IntakeAnswer:
    """`rejected` are `(index, reason)`. An event that was told before is accepted, and not stored again."""

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


class Intake:
    def __init__(
        self, *, events: Repository[Event], clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._events, self._clock, self._new_id = events, clock, new_id

    def events_accept(self, told: Sequence[Any], *, user: str | None, session: str | None) -> IntakeAnswer:
        """Store what is good; one bad event does not cost the others."""
        answer, good, now = IntakeAnswer(), [], self._clock()
        for index, one in enumerate(told):
            try:
                event = reported_event(one, arrived=self._new_id(), now=now, user=user, session=session)
                good.append(event)
            except NotAnEvent as reason:
                answer.rejected.append((index, str(reason)))
        if good:
            self._events.add_many(good)
        answer.accepted = len(good)
        return answer
