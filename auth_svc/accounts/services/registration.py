"""Registration of customers."""

from __future__ import annotations

from accounts.domain import Account, EmailClaim, normalize_email, password_errors
from chassis.api.errors import BadRequest
from chassis.api.errors import Conflict as Taken
from chassis.couch import Conflict

from .account_lookup import AccountLookup
from .account_mail import AccountMailService
from .ports import Clock, Hasher, NewId


class Registration:
    """Registers accounts.

    It claims the address first, so that two concurrent registrations cannot both have it. The cleanup job
    deletes a claim without an account.
    """

    def __init__(
        self,
        lookup: AccountLookup,
        hasher: Hasher,
        account_mail: AccountMailService,
        *,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._lookup = lookup
        self._hasher = hasher
        self._account_mail = account_mail
        self._clock = clock
        self._new_id = new_id

    def register(self, *, email: str, password: str, name: str) -> Account:
        """Create an account and request a mail to verify its address.

        Raises 400 for a bad password and 409 for a taken address.
        """
        errors = password_errors(password, email=email, name=name)
        if errors:
            raise BadRequest("Choose another password.", errors={"password": errors})
        if self._lookup.is_taken(email):
            raise _taken()
        hashed = self._hasher.hash(password)  # before the claim: a 503 here must leave nothing behind
        account = self.create(email=email, hashed=hashed, name=name)
        self._account_mail.request("verify", account.email)
        return account

    def create(self, *, email: str, hashed: str, name: str) -> Account:
        """Create the claim and the account. Raises 409 for a taken address."""
        at, id = self._clock(), self._new_id()
        try:
            self._lookup.emails.add(EmailClaim(EmailClaim.id_of(email), id, at))
        except Conflict as error:
            raise _taken() from error
        return self._lookup.accounts.add(
            Account(id=id, email=normalize_email(email), name=name, password=hashed, created_at=at, version=1)
        )


def _taken() -> Taken:
    return Taken("email-taken", "There is an account with this e-mail already.")
