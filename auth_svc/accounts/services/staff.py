"""Staff sessions: sign-in to the admins, and the exchange for access tokens."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import Any

from accounts.domain import Account, StaffSession
from chassis.api.errors import BadRequest, NotAuthenticated
from chassis.couch import NotFound, Repository
from chassis.identity.permissions_catalogue import ROLES, permissions_of

from .account_lookup import AccountLookup
from .ports import Clock, Hasher
from .registration import Registration
from .signin import SignIn
from .tokens import ACCESS_SECONDS, AccessTokens, digest

log = logging.getLogger("accounts.staff")


class StaffService:
    """Use cases of staff: one opaque session for all admins, exchanged for access tokens."""

    def __init__(
        self,
        lookup: AccountLookup,
        sessions: Repository[StaffSession],
        hasher: Hasher,
        access: AccessTokens,
        signin: SignIn,
        registration: Registration,
        *,
        lifetime: timedelta,
        clock: Clock,
    ) -> None:
        self._lookup = lookup
        self._sessions = sessions
        self._hasher = hasher
        self._access = access
        self._signin = signin
        self._registration = registration
        self.lifetime = lifetime
        self._clock = clock

    def sign_in(self, *, email: str, password: str) -> tuple[str, Account]:
        """Return the cookie's value and the account. Raises 401 for customers, as for a wrong password."""
        account = self._signin.check(email, password)
        if not permissions_of(account.roles):
            raise NotAuthenticated("invalid-credentials", "The e-mail or the password is wrong.")
        secret, at = secrets.token_urlsafe(32), self._clock()
        self._sessions.add(
            StaffSession(digest(secret), account.id, created_at=at, expires_at=at + self.lifetime, version=1)
        )
        return secret, account

    def exchange(self, secret: str) -> dict[str, Any] | None:
        """Return `{access, expires_in, user}` for a live session of current staff, else None."""
        at = self._clock()
        try:
            session = self._sessions.get(digest(secret))
            account = self._lookup.accounts.get(session.account_id)
        except NotFound:
            return None
        if not session.is_live(at) or not account.accepts_session_from(session.created_at):
            return None
        if not permissions_of(account.roles):
            return None
        left = int((session.expires_at - at).total_seconds())
        return {
            "access": self._access.issue(account, at),
            "expires_in": min(ACCESS_SECONDS, left),
            "user": user_fields(account),
        }

    def sign_out(self, secret: str) -> None:
        try:
            self._sessions.update(digest(secret), lambda session: session.revoke(self._clock()))
        except NotFound:
            return

    def create_staff(self, *, email: str, password: str, role: str) -> Account:
        """Create or update an account with this role and password; repeating it changes nothing."""
        if role not in ROLES:
            raise BadRequest(errors={"role": [f"One of {', '.join(ROLES)}."]})
        if not 8 <= len(password) <= 128:
            raise BadRequest(errors={"password": ["Must have 8 to 128 characters."]})
        account = self._lookup.by_email(email)
        if account is None:
            name = email.partition("@")[0].capitalize()
            account = self._registration.create(email=email, hashed=self._hasher.hash(password), name=name)
        return self._update_existing(account, password, role)

    def _update_existing(self, account: Account, password: str, role: str) -> Account:
        hashed = "" if self._hasher.verify(password, account.password) else self._hasher.hash(password)

        def change(found: Account) -> None:
            if hashed:
                found.change_password(hashed, self._clock())
            if role not in found.roles:
                found.set_roles((*found.roles, role))
            if not found.active:
                found.activate()
            found.verify_email()

        return self._lookup.accounts.update(account.id, change)


def user_fields(account: Account) -> dict[str, Any]:
    """Return the fields of a user in responses; `created_at` is still a datetime."""
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "email_verified": account.email_verified,
        "roles": list(account.roles),
        "created_at": account.created_at,
    }
