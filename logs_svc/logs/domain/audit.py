"""The audit trail and the hash chains that protect it.

An entry commits to its actor and its object by salted hashes. A link of a chain commits to the entry and to
the link before it. So an entry that was changed, removed, moved or inserted is found, and yet a person can be
erased from it: their names and the salt are removed, the hashes stay.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logs.domain.events import format_time

GENESIS_HASH = "0" * 64  # the previous hash of a writer's very first link


@dataclass(slots=True)
class AuditEntry:
    """One write by staff, which is never changed and never deleted.

    `at` is when they did it, `arrived` when this service received it. `who` and `what` are the hashes of
    (actor, name) and (object, its name, message), each with its salt. `erased` maps "who" or "what" to the
    erasure that removed a person from that part.
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
        """Commit to the current content by salted hashes."""
        self.who_salt, self.what_salt = who_salt, what_salt
        self.who, self.what = self._who(), self._what()

    @property
    def sealed(self) -> bool:
        return bool(self.who)

    def digest(self) -> str:
        """Return the hash that a chain's link stores for this entry."""
        parts = [
            self.id,
            format_time(self.at),
            format_time(self.arrived),
            self.action,
            self.service,
            self.object_type,
        ]
        return _sha256(*parts, self.who, self.what)

    def forget_actor(self, pseudonym: str, erasure: str) -> None:
        self.actor, self.actor_name, self.who_salt = pseudonym, "", ""
        self.erased["who"] = erasure
        self.version += 1

    def forget_object(self, pseudonym: str, erasure: str) -> None:
        self.object_id, self.object_repr, self.message, self.what_salt = pseudonym, "", "", ""
        self.erased["what"] = erasure
        self.version += 1

    def find_problems(self) -> list[str]:
        """List the parts that differ from what was sealed."""
        found = []
        if "who" not in self.erased and not hmac.compare_digest(self.who, self._who()):
            found.append("the actor was changed")
        if "what" not in self.erased and not hmac.compare_digest(self.what, self._what()):
            found.append("the content was changed")
        return found

    def _who(self) -> str:
        return _sha256(self.who_salt, self.actor, self.actor_name)

    def _what(self) -> str:
        return _sha256(self.what_salt, self.object_id, self.object_repr, self.message)


@dataclass(slots=True)
class Link:
    """A position in a chain, with the id `<chain>.<number>`, so that no two links share one.

    `previous` is the hash of the link before it. For a chain's first link it is the last hash of the writer's
    previous chain, whose link `after` names.
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
        """Create the link after `last`; for a chain's first link, `before` ends the previous chain."""
        number = last.number + 1 if last else 1
        previous = last or before
        made = cls(
            id=link_id(chain, number),
            chain=chain,
            number=number,
            entry=entry.id,
            digest=entry.digest(),
            previous=previous.hash if previous else GENESIS_HASH,
            hash="",
            after="" if last or not before else before.id,
        )
        made.hash = made.compute_hash()
        return made

    def compute_hash(self) -> str:
        return _sha256(self.chain, str(self.number), self.entry, self.digest, self.previous, self.after)


@dataclass(slots=True)
class Head:
    """The number and hash of a chain's last link, which reveal the loss of the last links.

    The id is the chain's name.
    """

    id: str
    number: int = 0
    hash: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def advance(self, link: Link) -> None:
        if link.number > self.number:
            self.number, self.hash = link.number, link.hash


def chain_name(service: str, day: str) -> str:
    """Return the name of the chain of a service and a day."""
    return f"{service}.{day}"


def link_id(chain: str, number: int) -> str:
    return f"{chain}.{number:08d}"


def _sha256(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
