"""The account: one person, one document."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

CUSTOMER = "customer"
MOST_ADDRESSES = 20
#: How long the link in a mail works, by what it is for.
LIFETIMES = {"reset": timedelta(hours=1), "verify": timedelta(days=3)}
_MOST_ONE_TIME = 5


class AccountEnded(Exception):
    """The account is deactivated or erased."""


class TooManyAddresses(Exception):
    """The address book is full."""


def normal_email(email: str) -> str:
    """The one spelling of an address that is stored and compared."""
    return email.strip().lower()


@dataclass(slots=True)
class Address:
    """Where something can be sent. `country` is ISO 3166-1 alpha-2."""

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
    """Permission to do one thing once: reset a password, verify an address. The token itself is not
    stored.
    """

    nonce: str
    purpose: str
    email: str
    expires_at: datetime


@dataclass(slots=True)
class EmailClaim:
    """`email:<sha256>`: whose an e-mail address is. Its id makes it unique."""

    id: str
    account_id: str
    created_at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def id_of(email: str) -> str:
        """The claim's id for an address in its normal spelling."""
        return hashlib.sha256(normal_email(email).encode()).hexdigest()


@dataclass(slots=True)
class Account:
    """A person who shops here, or works here. `password` is an Argon2id hash, "" when there is none."""

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
        """Whether anyone may sign in with it."""
        return self.active and self.erased_at is None

    def accepts_session_from(self, begun_at: datetime) -> bool:
        """Whether a session begun then still counts: sign-out of all sessions is one moment in the
        account.
        """
        return self.is_usable and (self.signed_out_at is None or begun_at > self.signed_out_at)

    def rename(self, name: str) -> None:
        self.name = name
        self.version += 1

    def sign_out_everywhere(self, at: datetime) -> None:
        """End all sessions and refresh tokens begun until now."""
        self.signed_out_at = at
        self.version += 1

    def change_password(self, password: str, at: datetime) -> None:
        """A new hash; ends all sessions, and links that would set yet another."""
        self.password = password
        self.one_time = [token for token in self.one_time if token.purpose != "reset"]
        self.sign_out_everywhere(at)

    def rehash(self, password: str) -> None:
        """The same password under the present cost; not a change that anyone asked for."""
        self.password = password

    def deactivate(self, at: datetime) -> None:
        self.active = False
        self.sign_out_everywhere(at)

    def activate(self) -> None:
        self.active = True
        self.version += 1

    def give_roles(self, roles: tuple[str, ...]) -> None:
        """Exactly these; everybody stays a customer too."""
        self.roles = tuple(dict.fromkeys((CUSTOMER, *roles)))
        self.version += 1

    # -- links in mails

    def allow_once(self, purpose: str, nonce: str, at: datetime) -> None:
        """Let the holder of the token for `nonce` do `purpose`, soon and once."""
        if not self.is_usable:
            raise AccountEnded
        live = [token for token in self.one_time if token.expires_at > at][-(_MOST_ONE_TIME - 1) :]
        self.one_time = [*live, OneTimeToken(nonce, purpose, self.email, at + LIFETIMES[purpose])]

    def use_once(self, purpose: str, nonce: str, at: datetime) -> bool:
        """Spend the permission; False when it is spent, expired, or for another purpose or address."""
        found = next((t for t in self.one_time if t.nonce == nonce and t.purpose == purpose), None)
        if found is None or found.expires_at <= at or found.email != self.email or not self.is_usable:
            return False
        self.one_time = [token for token in self.one_time if token.purpose != purpose]
        return True

    def verify_email(self) -> bool:
        """Whether that was news."""
        news = not self.email_verified
        self.email_verified = True
        if news:
            self.version += 1
        return news

    # -- addresses

    def add_address(self, address: Address) -> None:
        if len(self.addresses) >= MOST_ADDRESSES:
            raise TooManyAddresses
        self.addresses = [*self.addresses, address]
        self.version += 1

    def replace_address(self, address: Address) -> None:
        """Raises KeyError when there is none with its id."""
        self.address(address.id)
        self.addresses = [address if one.id == address.id else one for one in self.addresses]
        self.version += 1

    def remove_address(self, id: str) -> None:
        """Raises KeyError when there is none with that id."""
        self.address(id)
        self.addresses = [one for one in self.addresses if one.id != id]
        self.version += 1

    def address(self, id: str) -> Address:
        """Raises KeyError when there is none with that id."""
        found = next((one for one in self.addresses if one.id == id), None)
        if found is None:
            raise KeyError(id)
        return found

    def erase(self, at: datetime) -> None:
        """Forget the person; the empty account stays so that the fact of it can be told."""
        self.email = self.name = self.password = ""
        self.email_verified = False
        self.addresses, self.one_time = [], []
        self.roles = ()
        self.erased_at = at
        self.deactivate(at)
