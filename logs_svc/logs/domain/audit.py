"""The audit trail and the chains that hold it together.

An entry commits to who did it and what it was about by salted hashes; a link of a chain commits to the entry
and to the link before it. So an entry that is changed, taken out, put elsewhere or slipped in is found, and
yet a person can be taken out of it: their names and the salt go, the hashes stay.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logs.domain.events import text

FIRST = "0" * 64  # what the very first link of a writer has before it


@dataclass(slots=True)
class AuditEntry:
    """One write by staff: never changed, never deleted. `at` is when they did it, `arrived` when we heard.

    `who` and `what` are the hashes of (actor, name) and (object, its name, message), each with its salt.
    `erased` names the erasure that took a person out, parts of it as "who", "what".
    """

    id: str
    at: datetime
    arrived: datetime
    actor: str
    actor_name: str
    action: str
    service: str
    object_type: str
    object_id: str
    object_repr: str = ""
    message: str = ""
    who: str = ""
    what: str = ""
    who_salt: str = ""
    what_salt: str = ""
    erased: dict[str, str] = field(default_factory=dict)
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def seal(self, who_salt: str, what_salt: str) -> None:
        """Commit to what it says."""
        self.who_salt, self.what_salt = who_salt, what_salt
        self.who, self.what = self._who(), self._what()

    @property
    def sealed(self) -> bool:
        return bool(self.who)

    def digest(self) -> str:
        """What a chain's link holds of it."""
        parts = [self.id, text(self.at), text(self.arrived), self.action, self.service, self.object_type]
        return _sha256(*parts, self.who, self.what)

    def forget_actor(self, pseudonym: str, erasure: str) -> None:
        self.actor, self.actor_name, self.who_salt = pseudonym, "", ""
        self.erased["who"] = erasure
        self.version += 1

    def forget_object(self, pseudonym: str, erasure: str) -> None:
        self.object_id, self.object_repr, self.message, self.what_salt = pseudonym, "", "", ""
        self.erased["what"] = erasure
        self.version += 1

    def flaws(self) -> list[str]:
        """What it says that it did not say when it was sealed."""
        found = []
        if "who" not in self.erased and not hmac.compare_digest(self.who, self._who()):
            found.append("who did it was changed")
        if "what" not in self.erased and not hmac.compare_digest(self.what, self._what()):
            found.append("what it says was changed")
        return found

    def _who(self) -> str:
        return _sha256(self.who_salt, self.actor, self.actor_name)

    def _what(self) -> str:
        return _sha256(self.what_salt, self.object_id, self.object_repr, self.message)


@dataclass(slots=True)
class Link:
    """A place in a chain: the id is `<chain>.<number>`, so that no two can have the same one.

    `previous` is the hash of the link before it; of a chain's first link that of the writer's chain before,
    whose place `after` names.
    """

    id: str
    chain: str
    number: int
    entry: str
    digest: str
    previous: str
    hash: str
    after: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def following(cls, chain: str, last: Link | None, before: Link | None, entry: AuditEntry) -> Link:
        """The link after `last` of its chain; for a first one `before` is the end of the chain before it."""
        number = last.number + 1 if last else 1
        previous = last or before
        made = cls(
            id=link_id(chain, number),
            chain=chain,
            number=number,
            entry=entry.id,
            digest=entry.digest(),
            previous=previous.hash if previous else FIRST,
            hash="",
            after="" if last or not before else before.id,
        )
        made.hash = made.computed()
        return made

    def computed(self) -> str:
        return _sha256(self.chain, str(self.number), self.entry, self.digest, self.previous, self.after)


@dataclass(slots=True)
class Head:
    """How far a chain has come: by it the loss of the last links is seen. The id is the chain's name."""

    id: str
    number: int = 0
    hash: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def reach(self, link: Link) -> None:
        if link.number > self.number:
            self.number, self.hash = link.number, link.hash


def chain_of(service: str, day: str) -> str:
    """One chain per writer and day."""
    return f"{service}.{day}"


def link_id(chain: str, number: int) -> str:
    return f"{chain}.{number:08d}"


def _sha256(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
