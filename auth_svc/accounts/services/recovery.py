"""Links in mails: a forgotten password, an address to verify."""

from __future__ import annotations

from datetime import datetime

from accounts.domain import Account, normal_email, password_faults
from chassis.api.errors import BadRequest, TooManyRequests
from chassis.couch import NotFound, Repository
from chassis.messaging import record

from .mailing import Mailing
from .ports import Clock, Hasher, Limiter
from .tokens import Secrets


class Recovery:
    """What the holder of a link may do, once."""

    def __init__(
        self,
        accounts: Repository[Account],
        hasher: Hasher,
        mailing: Mailing,
        secrets: Secrets,
        *,
        limit: Limiter,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._hasher = hasher
        self._mailing = mailing
        self._secrets = secrets
        self._limit = limit
        self._clock = clock

    def forgot(self, email: str) -> None:
        """Known and unknown addresses cost the same and answer the same; too many mails are quietly
        not sent.
        """
        try:
            self._limit(normal_email(email))
        except TooManyRequests:
            return
        self._mailing.ask("reset", normal_email(email))

    def reset(self, token: str, password: str) -> None:
        """Set a new password; ends all sessions. The address has proven itself by receiving the link."""
        account_id, nonce = self._read("reset", token)
        faults = password_faults(password)
        if faults:
            raise BadRequest("Choose another password.", errors={"password": faults})
        self._still_good(account_id, nonce)
        hashed = self._hasher.hash(password)

        def change(account: Account) -> None:
            at = self._clock()
            if not account.use_once("reset", nonce, at):
                raise _bad_token()
            account.change_password(hashed, at)
            _verify(account, at)

        self._accounts.update(account_id, change)

    def verify(self, token: str) -> None:
        """The address is this person's. Told to whoever keeps a history of it."""
        account_id, nonce = self._read("verify", token)

        def change(account: Account) -> None:
            at = self._clock()
            if not account.use_once("verify", nonce, at):
                raise _bad_token()
            _verify(account, at)

        try:
            self._accounts.update(account_id, change)
        except NotFound as error:
            raise _bad_token() from error

    def _read(self, purpose: str, token: str) -> tuple[str, str]:
        read = self._secrets.read(purpose, token)
        if read is None:
            raise _bad_token()
        return read

    def _still_good(self, account_id: str, nonce: str) -> None:
        """Look before hashing: a spent link must not cost 19 MiB."""
        try:
            account = self._accounts.get(account_id)
        except NotFound as error:
            raise _bad_token() from error
        if not account.use_once("reset", nonce, self._clock()):
            raise _bad_token()


def _verify(account: Account, at: datetime) -> None:
    if account.verify_email():
        data = {"account_id": account.id}
        record(account, type="account.verified", source="auth", subject=account.id, data=data, at=at)


def _bad_token() -> BadRequest:
    return BadRequest(
        "The link is not valid, or was used already, or has expired.",
        type="token-invalid",
        errors={"token": ["Not valid, used already, or expired."]},
    )
