"""One person taken out of everything that is kept: what happened stays, who it was does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from chassis.couch import NotFound, Repository, every
from logs.archive import Archive
from logs.domain import AuditEntry, Event, Tie
from logs.services.attribution import Attribution
from logs.services.auditing import Audit

_AT_ONCE = 100


@dataclass(slots=True)
class Erased:
    """How many events and entries of the audit trail named the person."""

    events: int = 0
    entries: int = 0


class Erasing:
    def __init__(
        self,
        *,
        archive: Archive,
        ties: Repository[Tie],
        entries: Repository[AuditEntry],
        audit: Audit,
        attribution: Attribution,
        clock: Callable[[], datetime],
        settle: Callable[[], object],
    ) -> None:
        self._archive, self._ties, self._entries, self._audit = archive, ties, entries, audit
        self._attribution, self._clock, self._settle = attribution, clock, settle

    def erase(self, account: str, *, erasure: str) -> Erased:
        """Take an account out, with the sessions that were its alone. May be repeated; `erasure` names it in
        the audit trail.
        """
        self._settle()  # what was accepted before must not come after
        found = Erased()
        for session in self.sessions(account):
            found.events += self._forget("by_session", "session", session, account)
            self._attribution.forget(session)
        found.events += self._forget("by_user", "user", account, account)
        self._attribution.forget(account)
        self._untie(account)
        found.entries = self._pseudonymise(account, erasure)
        return found

    def sessions(self, account: str) -> list[str]:
        """Those in which this account signed in and nobody else."""
        rows = self._ties.rows("by_account", start=[account], end=[account, "\ufff0"])
        ids = [row.key[1].partition(":")[2] for row in rows]
        return [tie.id for tie in self._ties.get_many(ids) if tie.owner == account]

    def _forget(self, index: str, field: str, value: str, account: str) -> int:
        """Somebody else's events in a session stay as they are: it had one account only as far as ties tell,
        and these are dropped with time."""
        count = 0
        for event in every(self._archive.find, index, {field: value}, limit=_AT_ONCE):
            if event.user in (None, account):
                count += self._archive.change(event.id, Event.forget_user)
        return count

    def _untie(self, account: str) -> None:
        rows = self._ties.rows("by_account", start=[account], end=[account, "\ufff0"])
        for tie in self._ties.get_many([row.key[1].partition(":")[2] for row in rows]):
            try:
                if tie.owner == account:
                    self._ties.delete(tie)
                else:
                    self._ties.update(tie.id, lambda tie: tie.accounts.remove(account))
            except NotFound:
                continue

    def _pseudonymise(self, account: str, erasure: str) -> int:
        """In the audit trail, as who did something and as what it was done to; the chains stay as they
        are, and an entry says that this was an erasure.
        """
        pseudonym = "erased-" + hashlib.sha256(f"{erasure}\0{account}".encode()).hexdigest()[:12]
        changed: set[str] = set()
        for entry in self._named("by_actor", "actor", account):
            self._entries.update(entry.id, lambda entry: entry.forget_actor(pseudonym, erasure))
            changed.add(entry.id)
        for entry in self._named("by_object", "object_id", account):
            self._entries.update(entry.id, lambda entry: entry.forget_object(pseudonym, erasure))
            changed.add(entry.id)
        if changed:
            self._audit.append(self._record(pseudonym, erasure, len(changed)))
        return len(changed)

    def _named(self, index: str, field: str, account: str) -> Iterator[AuditEntry]:
        """Entries that name the account; each leaves the index as it is changed."""
        while page := self._entries.find(index, {field: account}, limit=_AT_ONCE).items:
            yield from page

    def _record(self, pseudonym: str, erasure: str, count: int) -> AuditEntry:
        now = self._clock()
        return AuditEntry(
            id=f"erasure-{erasure}",
            at=now,
            arrived=now,
            actor="logs",
            actor_name="",
            action="erase",
            service="logs",
            object_type="account",
            object_id=pseudonym,
            message=f"Taken out of {count} entries.",
        )
