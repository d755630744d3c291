"""Erasure of a person's history, on their request or with their account."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from chassis.couch import Repository
from chassis.messaging import Envelope
from reco.domain import ErasureRequest


class Erasure:
    def __init__(self, *, forgotten: Repository[ErasureRequest], clock: Callable[[], datetime]) -> None:
        self._forgotten, self._clock = forgotten, clock

    def people_forget(self, people: Sequence[str]) -> None:
        """Forget these people's interactions; their lists start anew at most two seconds later.

        The next training leaves their interactions out. Repeating it only moves the time.
        """
        for person in people:
            self._forget(person, self._clock())

    def account_erased(self, envelope: Envelope) -> str:
        """Forget an erased account as of now, because readers of new requests would miss an older time."""
        self._forget(f"user:{envelope.data['account_id']}", self._clock())
        return "done"

    def _forget(self, person: str, at: datetime) -> None:
        def change(one: ErasureRequest) -> None:
            one.at = max(one.at, at)
            one.version += 1

        id = forgotten_id(person)
        self._forgotten.update(id, change, create=lambda: ErasureRequest(id=id, person=person, at=at))


def forgotten_id(person: str) -> str:
    return hashlib.sha256(person.encode()).hexdigest()
