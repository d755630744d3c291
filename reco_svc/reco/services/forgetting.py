"""Forgetting what somebody did: because they ask for it, or because their account was erased."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from chassis.couch import Repository
from chassis.messaging import Envelope
from reco.domain import Forgotten


class Forgetting:
    def __init__(self, *, forgotten: Repository[Forgotten], clock: Callable[[], datetime]) -> None:
        self._forgotten, self._clock = forgotten, clock

    def people_forget(self, people: Sequence[str]) -> None:
        """From now on their lists begin anew, at most two seconds later; the next training leaves out what
        they did. Repeating it only moves the time."""
        for person in people:
            self._forget(person, self._clock())

    def account_erased(self, envelope: Envelope) -> str:
        """As of now, when it is heard: who looks for what is new would miss an older time."""
        self._forget(f"user:{envelope.data['account_id']}", self._clock())
        return "done"

    def _forget(self, person: str, at: datetime) -> None:
        def change(one: Forgotten) -> None:
            one.at = max(one.at, at)
            one.version += 1

        id = forgotten_id(person)
        self._forgotten.update(id, change, create=lambda: Forgotten(id=id, person=person, at=at))


def forgotten_id(person: str) -> str:
    return hashlib.sha256(person.encode()).hexdigest()
