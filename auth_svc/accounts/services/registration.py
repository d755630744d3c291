"""Becoming a customer."""

from __future__ import annotations

from accounts.domain import Account, EmailClaim, normal_email, password_faults
from chassis.api.errors import BadRequest
from chassis.api.errors import Conflict as Taken
from chassis.couch import Conflict

from .directory import Directory
from .mailing import Mailing
from .ports import Clock, Hasher, NewId


class Registration:
    """Claims the address first: two at once cannot both have it. A claim whose account never came
    is swept.
    """

    def __init__(
        self, directory: Directory, hasher: Hasher, mailing: Mailing, *, clock: Clock, new_id: NewId
    ) -> None:
        self._directory = directory
        self._hasher = hasher
        self._mailing = mailing
        self._clock = clock
        self._new_id = new_id

    def register(self, *, email: str, password: str, name: str) -> Account:
        """The new account. 400 for a bad password, 409 for a taken address; a mail asks to verify it."""
        faults = password_faults(password, email=email, name=name)
        if faults:
            raise BadRequest("Choose another password.", errors={"password": faults})
        if self._directory.is_taken(email):
            raise _taken()
        hashed = self._hasher.hash(password)  # before the claim: a 503 here must leave nothing behind
        account = self.create(email=email, hashed=hashed, name=name)
        self._mailing.ask("verify", account.email)
        return account

    def create(self, *, email: str, hashed: str, name: str) -> Account:
        """Claim and account. Raises 409 for a taken address."""
        at, id = self._clock(), self._new_id()
        try:
            self._directory.emails.add(EmailClaim(EmailClaim.id_of(email), id, at))
        except Conflict as error:
            raise _taken() from error
        return self._directory.accounts.add(
            Account(id=id, email=normal_email(email), name=name, password=hashed, created_at=at, version=1)
        )


def _taken() -> Taken:
    return Taken("email-taken", "There is an account with this e-mail already.")
