"""The account aggregate: one person, one document."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

CUSTOMER = "customer"
MAX_ADDRESSES = 20
#: Lifetime of the link in a mail, by purpose.
LIFETIMES = {"reset": timedelta(hours=1), "verify": timedelta(days=3)}
_MAX_ONE_TIME_TOKENS = 5


class AccountEnded(Exception):
    """The account is deactivated or erased."""


class TooManyAddresses(Exception):
    """The address book is full."""


def normalize_email(email: str) -> str:
    """Return the one spelling of an e-mail address that is stored and compared."""
    return email.strip().lower()


@dataclass(slots=True)
class Address:
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    id: str
    name: str
    line1: str
    postal_code: str
    city: str
    country: str
    line2: str = ""
    region: str = ""
    phone: str = ""


@dataclass(slots=True)
class OneTimeToken:
    """Permission to do one thing once: reset a password or verify an address.

    The token itself is not stored.
    """

    nonce: str
    purpose: str
    email: str
    expires_at: datetime


@dataclass(slots=True)
class EmailClaim:
    """The claim `email:<sha256>` of an account on an e-mail address; its id makes the address unique."""

    id: str
    account_id: str
    created_at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def id_of(email: str) -> str:
        """Return the claim's id for an address."""
        return hashlib.sha256(normalize_email(email).encode()).hexdigest()


@dataclass(slots=True)
class Account:
    """A customer or member of staff; `password` is an Argon2id hash, "" if there is none.

    Sessions that began before `signed_out_at` are refused.
    """

    id: str
    email: str
    name: str
    password: str
    created_at: datetime
    email_verified: bool = False
    roles: tuple[str, ...] = (CUSTOMER,)
    active: bool = True
    signed_out_at: datetime | None = None
    erased_at: datetime | None = None
    addresses: list[Address] = field(default_factory=list)
    one_time: list[OneTimeToken] = field(default_factory=list)
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0

    def __str__(self) -> str:
        return self.email or f"erased {self.id}"

    @property
    def is_usable(self) -> bool:
        """Return True if the account may sign in."""
        return self.active and self.erased_at is None

    def accepts_session_from(self, begun_at: datetime) -> bool:
        """Return True if a session that began at this time is still valid."""
        return self.is_usable and (self.signed_out_at is None or begun_at > self.signed_out_at)

    def rename(self, name: str) -> None:
        self.name = name
        self.version += 1

    def sign_out_everywhere(self, at: datetime) -> None:
        """End all sessions and refresh tokens begun until now."""
        self.signed_out_at = at
        self.version += 1

    def change_password(self, password: str, at: datetime) -> None:
        """Set a new hash; ends all sessions and invalidates reset links."""
        self.password = password
        self.one_time = [token for token in self.one_time if token.purpose != "reset"]
        self.sign_out_everywhere(at)

    def rehash(self, password: str) -> None:
        """Replace the hash of the same password by one at today's cost; the version stays."""
        self.password = password

    def deactivate(self, at: datetime) -> None:
        self.active = False
        self.sign_out_everywhere(at)

    def activate(self) -> None:
        self.active = True
        self.version += 1

    def set_roles(self, roles: tuple[str, ...]) -> None:
        """Set exactly these roles, and customer."""
        self.roles = tuple(dict.fromkeys((CUSTOMER, *roles)))
        self.version += 1

    # -- links in mails

    def issue_one_time_token(self, purpose: str, nonce: str, at: datetime) -> None:
        """Allow `purpose` once to the holder of the token for `nonce`. Raises AccountEnded."""
        if not self.is_usable:
            raise AccountEnded
        live = [token for token in self.one_time if token.expires_at > at][-(_MAX_ONE_TIME_TOKENS - 1) :]
        self.one_time = [*live, OneTimeToken(nonce, purpose, self.email, at + LIFETIMES[purpose])]

    def redeem_one_time_token(self, purpose: str, nonce: str, at: datetime) -> bool:
        """Redeem the token; return False if it is used, expired, or for another purpose or address."""
        found = next((t for t in self.one_time if t.nonce == nonce and t.purpose == purpose), None)
        if found is None or found.expires_at <= at or found.email != self.email or not self.is_usable:
            return False
        self.one_time = [token for token in self.one_time if token.purpose != purpose]
        return True

    def verify_email(self) -> bool:
        """Mark the address as verified; return True if it was not before."""
        changed = not self.email_verified
        self.email_verified = True
        if changed:
            self.version += 1
        return changed

    # -- addresses

    def add_address(self, address: Address) -> None:
        if len(self.addresses) >= MAX_ADDRESSES:
            raise TooManyAddresses
        self.addresses = [*self.addresses, address]
        self.version += 1

    def replace_address(self, address: Address) -> None:
        """Replace the address with the same id. Raises KeyError if there is none."""
        self.address(address.id)
        self.addresses = [address if one.id == address.id else one for one in self.addresses]
        self.version += 1

    def remove_address(self, id: str) -> None:
        """Remove the address. Raises KeyError if there is none with that id."""
        self.address(id)
        self.addresses = [one for one in self.addresses if one.id != id]
        self.version += 1

    def address(self, id: str) -> Address:
        """Return the address. Raises KeyError if there is none with that id."""
        found = next((one for one in self.addresses if one.id == id), None)
        if found is None:
            raise KeyError(id)
        return found

    def erase(self, at: datetime) -> None:
        """Remove all personal data; the empty account stays, so that its event can be delivered."""
        self.email = self.name = self.password = ""
        self.email_verified = False
        self.addresses, self.one_time = [], []
        self.roles = ()
        self.erased_at = at
        self.deactivate(at)
