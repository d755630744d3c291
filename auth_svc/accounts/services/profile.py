"""A person's own account: name, password, address book, what is held about them, and the end of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from accounts.domain import Account, Address, EmailClaim, TooManyAddresses, password_faults
from chassis.api.errors import BadRequest, Forbidden, NotAuthenticated, NotFound, Unprocessable
from chassis.couch import Conflict
from chassis.couch import NotFound as Missing
from chassis.messaging import record

from .directory import Directory
from .ports import Clock, Hasher, Limiter, NewId


class Profile:
    """Every call is for the account of a checked token; one that has ended meanwhile answers 401."""

    def __init__(
        self, directory: Directory, hasher: Hasher, *, limit: Limiter, clock: Clock, new_id: NewId
    ) -> None:
        self._accounts = directory.accounts
        self._emails = directory.emails
        self._hasher = hasher
        self._limit = limit
        self._clock = clock
        self._new_id = new_id

    def me(self, account_id: str) -> Account:
        try:
            account = self._accounts.get(account_id)
        except Missing as error:
            raise _ended() from error
        if not account.is_usable:
            raise _ended()
        return account

    def rename(self, account_id: str, name: str) -> Account:
        self.me(account_id)
        return self._accounts.update(account_id, lambda account: account.rename(name))

    def change_password(self, account_id: str, *, old: str, new: str) -> None:
        """403 for a wrong old one, 400 for a bad new one. Ends all sessions."""
        account = self._proven(account_id, old)
        faults = password_faults(new, email=account.email, name=account.name)
        if faults:
            raise BadRequest("Choose another password.", errors={"new": faults})
        hashed = self._hasher.hash(new)
        self._accounts.update(account_id, lambda found: found.change_password(hashed, self._clock()))

    def _proven(self, account_id: str, password: str) -> Account:
        account = self.me(account_id)
        self._limit(account.email)
        if not self._hasher.verify(password, account.password):
            raise Forbidden("wrong-password", "The password is wrong.")
        return account

    # -- address book

    def add_address(self, account_id: str, fields: dict[str, str]) -> Address:
        """422 when the book is full."""
        self.me(account_id)
        address = Address(id=self._new_id(), **fields)
        try:
            self._accounts.update(account_id, lambda account: account.add_address(address))
        except TooManyAddresses as error:
            raise Unprocessable("address-book-full", "The address book is full; remove one first.") from error
        return address

    def address(self, account_id: str, address_id: str) -> Address:
        """404 for what is not in this person's book."""
        try:
            return self.me(account_id).address(address_id)
        except KeyError as error:
            raise NotFound() from error

    def replace_address(self, account_id: str, address_id: str, fields: dict[str, str]) -> Address:
        self.address(account_id, address_id)
        address = Address(id=address_id, **fields)
        try:
            self._accounts.update(account_id, lambda account: account.replace_address(address))
        except KeyError as error:
            raise NotFound() from error
        return address

    def remove_address(self, account_id: str, address_id: str) -> None:
        self.address(account_id, address_id)
        try:
            self._accounts.update(account_id, lambda account: account.remove_address(address_id))
        except KeyError as error:
            raise NotFound() from error

    # -- what the law gives everybody

    def export(self, account_id: str) -> dict[str, Any]:
        """Everything that this service holds about the person, but the hash of the password."""
        held = asdict(self.me(account_id))
        for own in ("password", "one_time", "events", "event_seq", "rev", "version", "extra"):
            held.pop(own)
        return held

    def erase(self, account_id: str, password: str) -> None:
        """Forget the person, tell everybody who knows them, and free the address."""
        email = self._proven(account_id, password).email

        def change(account: Account) -> None:
            at = self._clock()
            account.erase(at)
            data = {"account_id": account.id}
            record(account, type="account.erased", source="auth", subject=account.id, data=data, at=at)

        self._accounts.update(account_id, change)
        self._free(email)

    def _free(self, email: str) -> None:
        """The sweeper would do it too, later."""
        try:
            self._emails.delete(self._emails.get(EmailClaim.id_of(email)))
        except (Missing, Conflict):
            return


def _ended() -> NotAuthenticated:
    return NotAuthenticated("account-ended", "There is no such account any more.")
