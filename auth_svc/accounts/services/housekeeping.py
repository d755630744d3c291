"""What is left over: claims whose account never came, sessions that have ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from accounts.domain import Account, EmailClaim, Family, StaffSession
from chassis.couch import Conflict, NotFound, Repository

from .directory import Directory
from .ports import Clock

#: A registration is done in far less; an older claim without its account is an orphan.
ORPHAN_AFTER = timedelta(minutes=10)
_BATCH = 200


class Housekeeping:
    """Repeatable, and safe beside a running service: everything is compared and set."""

    def __init__(
        self,
        directory: Directory,
        families: Repository[Family],
        sessions: Repository[StaffSession],
        *,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._ended: tuple[Repository[Any], ...] = (families, sessions)
        self._clock = clock

    def free_claims(self) -> int:
        """Free addresses whose account does not exist or has another one; how many."""
        freed, cursor = 0, None
        while True:
            page = self._directory.emails.find(
                "created", end=self._clock() - ORPHAN_AFTER, limit=_BATCH, cursor=cursor
            )
            owners = {
                one.id: one
                for one in self._directory.accounts.get_many([claim.account_id for claim in page.items])
            }
            orphans = [claim for claim in page.items if not _holds(owners.get(claim.account_id), claim)]
            freed += sum(_deleted(self._directory.emails, claim) for claim in orphans)
            cursor = page.next
            if cursor is None:
                return freed

    def forget_ended(self) -> int:
        """Remove what has expired; how many."""
        gone = 0
        for repository in self._ended:
            page = repository.find("expires", end=self._clock(), limit=_BATCH)
            gone += sum(_deleted(repository, one) for one in page.items)
        return gone


def _holds(account: Account | None, claim: EmailClaim) -> bool:
    return account is not None and bool(account.email) and EmailClaim.id_of(account.email) == claim.id


def _deleted(repository: Repository[Any], entity: Any) -> bool:
    try:
        repository.delete(entity)
    except (Conflict, NotFound):
        return False
    return True
