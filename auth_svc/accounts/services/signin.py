"""Signing in and staying signed in: families of refresh tokens, each used once."""

from __future__ import annotations

import logging
from datetime import timedelta

from accounts.domain import Account, Family, Outcome, normal_email
from chassis.api.errors import NotAuthenticated
from chassis.couch import NotFound, Repository

from .directory import Directory
from .ports import Clock, Hasher, Limiter, NewId
from .tokens import AccessTokens, Pair, Secrets, digest

log = logging.getLogger("accounts.signin")

_PURPOSE = "refresh"


class SignIn:
    """Passwords to tokens. Known and unknown addresses get the same answer after the same work."""

    def __init__(
        self,
        directory: Directory,
        families: Repository[Family],
        hasher: Hasher,
        access: AccessTokens,
        secrets: Secrets,
        *,
        limit: Limiter,
        lifetime: timedelta,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._directory = directory
        self._families = families
        self._hasher = hasher
        self._access = access
        self._secrets = secrets
        self._limit = limit
        self._lifetime = lifetime
        self._clock = clock
        self._new_id = new_id

    def check(self, email: str, password: str) -> Account:
        """The account, if these are its address and password; 401 otherwise, 429 after too many attempts."""
        self._limit(normal_email(email))
        account = self._directory.by_email(email)
        matches = self._hasher.verify(password, account.password if account else "")
        if account is None or not matches or not account.is_usable:
            log.info("sign-in refused", extra={"account": account.id if account else None})
            raise NotAuthenticated("invalid-credentials", "The e-mail or the password is wrong.")
        log.info("signed in", extra={"account": account.id})
        return self._at_todays_cost(account, password)

    def _at_todays_cost(self, account: Account, password: str) -> Account:
        if not self._hasher.is_outdated(account.password):
            return account
        old, new = account.password, self._hasher.hash(password)

        def change(found: Account) -> None:
            if found.password == old:
                found.rehash(new)

        return self._directory.accounts.update(account.id, change)

    def sign_in(self, *, email: str, password: str) -> Pair:
        """A new family for this person."""
        return self.begin(self.check(email, password))

    def begin(self, account: Account) -> Pair:
        """The first pair of a new family."""
        at, id = self._clock(), self._new_id()
        refresh = self._secrets.make(_PURPOSE, id, "1")
        self._families.add(
            Family(
                id=id,
                account_id=account.id,
                created_at=at,
                expires_at=at + self._lifetime,
                token_hash=digest(refresh),
                version=1,
            )
        )
        return Pair(self._access.issue(account, at), refresh)

    def refresh(self, token: str) -> Pair:
        """The next pair, 401 when the token is not, or no longer, good. One from the past ends the whole
        family.
        """
        read = self._secrets.read(_PURPOSE, token)
        if read is None:
            raise _refused()
        outcome, family = self._rotate(read[0], digest(token))
        if outcome in (Outcome.REFUSED, Outcome.REUSED):
            log.warning("refresh token %s", outcome.value, extra={"account": family.account_id})
            raise _refused()
        account = self._still_welcome(family)
        refresh = self._secrets.make(_PURPOSE, family.id, str(family.generation))
        return Pair(self._access.issue(account, self._clock()), refresh)

    def _rotate(self, family_id: str, token_hash: str) -> tuple[Outcome, Family]:
        """Compare-and-set: of two at once one rotates, and the other finds its token to be the one
        just left.
        """
        outcome = Outcome.REFUSED

        def change(family: Family) -> None:
            nonlocal outcome
            at = self._clock()
            outcome = family.present(token_hash, at)
            if outcome is Outcome.ROTATED:
                family.rotate(digest(self._secrets.make(_PURPOSE, family.id, str(family.generation + 1))), at)
            elif outcome is Outcome.REUSED:
                family.revoke(at)

        try:
            family = self._families.update(family_id, change)
        except NotFound as error:
            raise _refused() from error
        return outcome, family

    def _still_welcome(self, family: Family) -> Account:
        """Roles and state are read anew: deactivation and a changed password end sessions here."""
        try:
            account = self._directory.accounts.get(family.account_id)
        except NotFound as error:
            raise _refused() from error
        if not account.accepts_session_from(family.created_at):
            raise _refused()
        return account

    def revoke(self, token: str) -> None:
        """End the token's family. Nothing is said about tokens that are none."""
        read = self._secrets.read(_PURPOSE, token)
        if read is None:
            return
        try:
            self._families.update(read[0], lambda family: family.revoke(self._clock()))
        except NotFound:
            return


def _refused() -> NotAuthenticated:
    return NotAuthenticated("invalid-refresh-token", "The refresh token is not valid, or has ended.")
