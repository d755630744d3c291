"""Lookup of accounts by e-mail, through the claim that makes the address unique."""

from __future__ import annotations

from accounts.domain import Account, EmailClaim, normalize_email
from chassis.couch import NotFound, Repository


class AccountLookup:
    """Finds accounts by e-mail address."""

    def __init__(self, accounts: Repository[Account], emails: Repository[EmailClaim]) -> None:
        self.accounts = accounts
        self.emails = emails

    def by_email(self, email: str) -> Account | None:
        """Return the account that holds the address, or None."""
        try:
            claim = self.emails.get(EmailClaim.id_of(email))
            account = self.accounts.get(claim.account_id)
        except NotFound:
            return None
        return account if account.email == normalize_email(email) else None

    def is_taken(self, email: str) -> bool:
        """Return True if the address is claimed, even by a registration that never finished."""
        return bool(self.emails.get_many([EmailClaim.id_of(email)]))
