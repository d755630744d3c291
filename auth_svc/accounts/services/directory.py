"""Finding people by e-mail, through the claim that makes the address unique."""

from __future__ import annotations

from accounts.domain import Account, EmailClaim, normal_email
from chassis.couch import NotFound, Repository


class Directory:
    """Accounts by address. Knows nothing of passwords."""

    def __init__(self, accounts: Repository[Account], emails: Repository[EmailClaim]) -> None:
        self.accounts = accounts
        self.emails = emails

    def by_email(self, email: str) -> Account | None:
        """The account that holds the address, if any."""
        try:
            claim = self.emails.get(EmailClaim.id_of(email))
            account = self.accounts.get(claim.account_id)
        except NotFound:
            return None
        return account if account.email == normal_email(email) else None

    def is_taken(self, email: str) -> bool:
        """Whether the address has been claimed, be it by a registration that never finished."""
        return bool(self.emails.get_many([EmailClaim.id_of(email)]))
