"""Use cases on one's own account: name, password, address book, export and erasure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from accounts.domain import Account, Address, EmailClaim, TooManyAddresses, password_errors
from chassis.api.errors import BadRequest, Forbidden, NotAuthenticated, NotFound, Unprocessable
from chassis.couch import Conflict
from chassis.couch import NotFound as Missing
from chassis.messaging import append_event

from .account_lookup import AccountLookup
from .ports import Clock, Hasher, Limiter, NewId


class Profile:
    """Use cases for the account of a verified token; 401 if the account has ended since."""

    def __init__(
        self, lookup: AccountLookup, hasher: Hasher, *, limit: Limiter, clock: Clock, new_id: NewId
    ) -> None:
        self._accounts = lookup.accounts
        self._emails = lookup.emails
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
        """Change the password and end all sessions. Raises 403 for a wrong old one, 400 for a bad new one."""
        account = self._authenticate(account_id, old)
        errors = password_errors(new, email=account.email, name=account.name)
        if errors:
            raise BadRequest("Choose another password.", errors={"new": errors})
        hashed = self._hasher.hash(new)
        self._accounts.update(account_id, lambda found: found.change_password(hashed, self._clock()))

    def _authenticate(self, account_id: str, password: str) -> Account:
        account = self.me(account_id)
        self._limit(account.email)
        if not self._hasher.verify(password, account.password):
            raise Forbidden("wrong-password", "The password is wrong.")
        return account

    # -- address book

    def add_address(self, account_id: str, fields: dict[str, str]) -> Address:
        """Add an address. Raises 422 if the address book is full."""
        self.me(account_id)
        address = Address(id=self._new_id(), **fields)
        try:
            self._accounts.update(account_id, lambda account: account.add_address(address))
        except TooManyAddresses as error:
            raise Unprocessable("address-book-full", "The address book is full; remove one first.") from error
        return address

    def address(self, account_id: str, address_id: str) -> Address:
        """Return an address of the account. Raises 404 if it has no such address."""
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

    # -- export and erasure (GDPR articles 15 and 17)

    def export(self, account_id: str) -> dict[str, Any]:
        """Return everything that this service stores about the person except the password's hash."""
        held = asdict(self.me(account_id))
        for own in ("password", "one_time", "events", "event_seq", "rev", "version", "extra"):
            held.pop(own)
        return held

    def erase(self, account_id: str, password: str) -> None:
        """Erase the account, append `account.erased` for other services, and free the e-mail address."""
        email = self._authenticate(account_id, password).email

        def change(account: Account) -> None:
            at = self._clock()
            account.erase(at)
            data = {"account_id": account.id}
            append_event(account, type="account.erased", source="auth", subject=account.id, data=data, at=at)

        self._accounts.update(account_id, change)
        self._free(email)

    def _free(self, email: str) -> None:
        """Delete the e-mail claim now; the cleanup job would delete it later."""
        try:
            self._emails.delete(self._emails.get(EmailClaim.id_of(email)))
        except (Missing, Conflict):
            return


def _ended() -> NotAuthenticated:
    return NotAuthenticated("account-ended", "There is no such account any more.")
