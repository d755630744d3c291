"""Erasure of one person from events, session identities, clicks and the audit trail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from chassis.couch import NotFound, Repository, iter_all
from logs.domain import AuditEntry, Event, SessionIdentity
from logs.event_store import EventStore
from logs.services.attribution import Attribution
from logs.services.audit_trail import AuditTrail

_BATCH_SIZE = 100


@dataclass(slots=True)
class Erased:
    """The number of events and of audit entries that named the person."""

    events: int = 0
    entries: int = 0


class Erasure:
    def __init__(
        self,
        *,
        event_store: EventStore,
        identities: Repository[SessionIdentity],
        entries: Repository[AuditEntry],
        audit: AuditTrail,
        attribution: Attribution,
        clock: Callable[[], datetime],
        wait_until_stored: Callable[[], object],
    ) -> None:
        self._event_store, self._identities, self._entries, self._audit = (
            event_store,
            identities,
            entries,
            audit,
        )
        self._attribution, self._clock, self._wait_until_stored = attribution, clock, wait_until_stored

    def erase(self, account: str, *, erasure: str) -> Erased:
        """Erase an account, and the sessions that only it used.

        Safe to repeat. `erasure` is the name of this erasure in the audit trail.
        """
        self._wait_until_stored()  # events accepted before must not be stored after
        found = Erased()
        for session in self.sessions(account):
            found.events += self._forget("by_session", "session", session, account)
            self._attribution.delete_clicks(session)
        found.events += self._forget("by_user", "user", account, account)
        self._attribution.delete_clicks(account)
        self._forget_identities(account)
        found.entries = self._pseudonymise(account, erasure)
        return found

    def sessions(self, account: str) -> list[str]:
        """List the sessions in which only this account signed in."""
        rows = self._identities.rows("by_account", start=[account], end=[account, "\ufff0"])
        ids = [row.key[1].partition(":")[2] for row in rows]
        return [identity.id for identity in self._identities.get_many(ids) if identity.owner == account]

    def _forget(self, index: str, field: str, value: str, account: str) -> int:
        """Remove the account from matching events, and return their number.

        Events of other accounts in the session stay as they are: session identities are dropped in time, so a
        session may have had more accounts than they show.
        """
        count = 0
        for event in iter_all(self._event_store.find, index, {field: value}, limit=_BATCH_SIZE):
            if event.user in (None, account):
                count += self._event_store.update(event.id, Event.forget_user)
        return count

    def _forget_identities(self, account: str) -> None:
        rows = self._identities.rows("by_account", start=[account], end=[account, "\ufff0"])
        for identity in self._identities.get_many([row.key[1].partition(":")[2] for row in rows]):
            try:
                if identity.owner == account:
                    self._identities.delete(identity)
                else:
                    self._identities.update(identity.id, lambda identity: identity.accounts.remove(account))
            except NotFound:
                continue

    def _pseudonymise(self, account: str, erasure: str) -> int:
        """Replace the account by a pseudonym in the audit trail, as actor and as object.

        The chains stay valid, and a new entry records the erasure.
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
        """Iterate over entries that name the account; each leaves the index as it is changed."""
        while page := self._entries.find(index, {field: account}, limit=_BATCH_SIZE).items:
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
