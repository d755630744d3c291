"""Cleanup of orphaned e-mail claims and expired sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from accounts.domain import Account, EmailClaim, StaffSession, TokenFamily
from chassis.couch import Conflict, NotFound, Repository

from .account_lookup import AccountLookup
from .ports import Clock

#: A registration takes far less; an older claim without its account is an orphan.
ORPHAN_AFTER = timedelta(minutes=10)
_BATCH = 200


class Cleanup:
    """Idempotent cleanup jobs, safe beside a running service: all writes are compare-and-set."""

    def __init__(
        self,
        lookup: AccountLookup,
        families: Repository[TokenFamily],
        sessions: Repository[StaffSession],
        *,
        clock: Clock,
    ) -> None:
        self._lookup = lookup
        self._ended: tuple[Repository[Any], ...] = (families, sessions)
        self._clock = clock

    def release_orphaned_claims(self) -> int:
        """Delete claims whose account does not exist or has another address; return their number."""
        freed, cursor = 0, None
        while True:
            page = self._lookup.emails.find(
                "created", end=self._clock() - ORPHAN_AFTER, limit=_BATCH, cursor=cursor
            )
            owners = {
                one.id: one
                for one in self._lookup.accounts.get_many([claim.account_id for claim in page.items])
            }
            orphans = [claim for claim in page.items if not _is_held_by(owners.get(claim.account_id), claim)]
            freed += sum(_delete(self._lookup.emails, claim) for claim in orphans)
            cursor = page.next
            if cursor is None:
                return freed

    def delete_expired(self) -> int:
        """Delete expired families and staff sessions; return their number."""
        gone = 0
        for repository in self._ended:
            page = repository.find("expires", end=self._clock(), limit=_BATCH)
            gone += sum(_delete(repository, one) for one in page.items)
        return gone


def _is_held_by(account: Account | None, claim: EmailClaim) -> bool:
    return account is not None and bool(account.email) and EmailClaim.id_of(account.email) == claim.id


def _delete(repository: Repository[Any], entity: Any) -> bool:
    try:
        repository.delete(entity)
    except (Conflict, NotFound):
        return False
    return True
