"""Use cases of links in mails: password reset and address verification."""

from __future__ import annotations

from datetime import datetime

from accounts.domain import Account, normalize_email, password_errors
from chassis.api.errors import BadRequest, TooManyRequests
from chassis.couch import NotFound, Repository
from chassis.messaging import append_event

from .account_mail import AccountMailService
from .ports import Clock, Hasher, Limiter
from .tokens import DerivedTokens


class Recovery:
    """Use cases of the holder of a link, each works once."""

    def __init__(
        self,
        accounts: Repository[Account],
        hasher: Hasher,
        account_mail: AccountMailService,
        derived_tokens: DerivedTokens,
        *,
        limit: Limiter,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._hasher = hasher
        self._account_mail = account_mail
        self._derived_tokens = derived_tokens
        self._limit = limit
        self._clock = clock

    def request_reset(self, email: str) -> None:
        """Request a reset mail; known and unknown addresses behave the same.

        Above the limit of mails it does nothing, silently.
        """
        try:
            self._limit(normalize_email(email))
        except TooManyRequests:
            return
        self._account_mail.request("reset", normalize_email(email))

    def reset(self, token: str, password: str) -> None:
        """Set a new password and end all sessions; receiving the link also verifies the address."""
        account_id, nonce = self._parse_token("reset", token)
        errors = password_errors(password)
        if errors:
            raise BadRequest("Choose another password.", errors={"password": errors})
        self._require_unused(account_id, nonce)
        hashed = self._hasher.hash(password)

        def change(account: Account) -> None:
            at = self._clock()
            if not account.redeem_one_time_token("reset", nonce, at):
                raise _bad_token()
            account.change_password(hashed, at)
            _verify(account, at)

        self._accounts.update(account_id, change)

    def verify(self, token: str) -> None:
        """Mark the address as verified and append `account.verified`."""
        account_id, nonce = self._parse_token("verify", token)

        def change(account: Account) -> None:
            at = self._clock()
            if not account.redeem_one_time_token("verify", nonce, at):
                raise _bad_token()
            _verify(account, at)

        try:
            self._accounts.update(account_id, change)
        except NotFound as error:
            raise _bad_token() from error

    def _parse_token(self, purpose: str, token: str) -> tuple[str, str]:
        read = self._derived_tokens.read(purpose, token)
        if read is None:
            raise _bad_token()
        return read

    def _require_unused(self, account_id: str, nonce: str) -> None:
        """Check the link before hashing: a used link must not cost 19 MiB."""
        try:
            account = self._accounts.get(account_id)
        except NotFound as error:
            raise _bad_token() from error
        if not account.redeem_one_time_token("reset", nonce, self._clock()):
            raise _bad_token()


def _verify(account: Account, at: datetime) -> None:
    if account.verify_email():
        data = {"account_id": account.id}
        append_event(account, type="account.verified", source="auth", subject=account.id, data=data, at=at)


def _bad_token() -> BadRequest:
    return BadRequest(
        "The link is not valid, or was used already, or has expired.",
        type="token-invalid",
        errors={"token": ["Not valid, used already, or expired."]},
    )
