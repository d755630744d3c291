"""Sign-in and refresh: families of refresh tokens, each token is used once."""

from __future__ import annotations

import logging
from datetime import timedelta

from accounts.domain import Account, Outcome, TokenFamily, normalize_email
from chassis.api.errors import NotAuthenticated
from chassis.couch import NotFound, Repository

from .account_lookup import AccountLookup
from .ports import Clock, Hasher, Limiter, NewId
from .tokens import AccessTokens, DerivedTokens, TokenPair, digest

log = logging.getLogger("accounts.signin")

_PURPOSE = "refresh"


class SignIn:
    """Exchanges passwords for tokens; known and unknown addresses get the same answer at the same cost."""

    def __init__(
        self,
        lookup: AccountLookup,
        families: Repository[TokenFamily],
        hasher: Hasher,
        access: AccessTokens,
        derived_tokens: DerivedTokens,
        *,
        limit: Limiter,
        lifetime: timedelta,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._lookup = lookup
        self._families = families
        self._hasher = hasher
        self._access = access
        self._derived_tokens = derived_tokens
        self._limit = limit
        self._lifetime = lifetime
        self._clock = clock
        self._new_id = new_id

    def check(self, email: str, password: str) -> Account:
        """Return the account with this address and password. Raises 401, or 429 after too many attempts."""
        self._limit(normalize_email(email))
        account = self._lookup.by_email(email)
        matches = self._hasher.verify(password, account.password if account else "")
        if account is None or not matches or not account.is_usable:
            log.info("sign-in refused", extra={"account": account.id if account else None})
            raise NotAuthenticated("invalid-credentials", "The e-mail or the password is wrong.")
        log.info("signed in", extra={"account": account.id})
        return self._rehash_if_outdated(account, password)

    def _rehash_if_outdated(self, account: Account, password: str) -> Account:
        if not self._hasher.is_outdated(account.password):
            return account
        old, new = account.password, self._hasher.hash(password)

        def change(found: Account) -> None:
            if found.password == old:
                found.rehash(new)

        return self._lookup.accounts.update(account.id, change)

    def sign_in(self, *, email: str, password: str) -> TokenPair:
        """Check the password and return the first tokens of a new family."""
        return self.begin(self.check(email, password))

    def begin(self, account: Account) -> TokenPair:
        """Return the first tokens of a new family."""
        at, id = self._clock(), self._new_id()
        refresh = self._derived_tokens.make(_PURPOSE, id, "1")
        self._families.add(
            TokenFamily(
                id=id,
                account_id=account.id,
                created_at=at,
                expires_at=at + self._lifetime,
                token_hash=digest(refresh),
                version=1,
            )
        )
        return TokenPair(self._access.issue(account, at), refresh)

    def refresh(self, token: str) -> TokenPair:
        """Return the next tokens. Raises 401 if the token is not valid any more.

        A reused old token ends the whole family.
        """
        read = self._derived_tokens.read(_PURPOSE, token)
        if read is None:
            raise _refused()
        outcome, family = self._rotate(read[0], digest(token))
        if outcome in (Outcome.REFUSED, Outcome.REUSED):
            log.warning("refresh token %s", outcome.value, extra={"account": family.account_id})
            raise _refused()
        account = self._active_account(family)
        refresh = self._derived_tokens.make(_PURPOSE, family.id, str(family.generation))
        return TokenPair(self._access.issue(account, self._clock()), refresh)

    def _rotate(self, family_id: str, token_hash: str) -> tuple[Outcome, TokenFamily]:
        """Rotate by compare-and-set: of two concurrent requests one rotates, the other repeats."""
        outcome = Outcome.REFUSED

        def change(family: TokenFamily) -> None:
            nonlocal outcome
            at = self._clock()
            outcome = family.evaluate(token_hash, at)
            if outcome is Outcome.ROTATED:
                family.rotate(
                    digest(self._derived_tokens.make(_PURPOSE, family.id, str(family.generation + 1))), at
                )
            elif outcome is Outcome.REUSED:
                family.revoke(at)

        try:
            family = self._families.update(family_id, change)
        except NotFound as error:
            raise _refused() from error
        return outcome, family

    def _active_account(self, family: TokenFamily) -> Account:
        """Return the current account: deactivation and a changed password end sessions here."""
        try:
            account = self._lookup.accounts.get(family.account_id)
        except NotFound as error:
            raise _refused() from error
        if not account.accepts_session_from(family.created_at):
            raise _refused()
        return account

    def revoke(self, token: str) -> None:
        """End the token's family; other texts are ignored."""
        read = self._derived_tokens.read(_PURPOSE, token)
        if read is None:
            return
        try:
            self._families.update(read[0], lambda family: family.revoke(self._clock()))
        except NotFound:
            return


def _refused() -> NotAuthenticated:
    return NotAuthenticated("invalid-refresh-token", "The refresh token is not valid, or has ended.")
