"""Account e-mails: requests are stored, sent by a worker, and retried by a background job."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from urllib.parse import quote

from accounts.domain import Account, AccountEnded, MailRequest
from chassis.couch import Conflict, CouchError, NotFound, Repository

from .account_lookup import AccountLookup
from .ports import Clock, NewId
from .tokens import DerivedTokens

log = logging.getLogger("accounts.mail")

#: The background job leaves a new request to the worker for this long.
WORKER_DELAY = timedelta(seconds=20)
_TEXTS = {
    "reset": (
        "Choose a new password",
        "reset",
        "somebody, hopefully you, asked to set a new password for your account; the link works for an hour:",
        "If it was not you, ignore this mail: nothing has changed.",
    ),
    "verify": (
        "Confirm your e-mail",
        "verify",
        "welcome to Hivemart. Please confirm that this address is yours; the link works for three days:",
        "If you did not make an account with us, ignore this mail.",
    ),
}


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain-text e-mail to one person."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """The port that sends e-mail; `send` raises OSError if the mail was not sent."""

    def send(self, mail: Mail) -> None: ...


class AccountMailService:
    """The use cases of account e-mail.

    `enqueue(id)` notifies the worker, best effort; the stored request is authoritative.
    """

    def __init__(
        self,
        lookup: AccountLookup,
        requests: Repository[MailRequest],
        mailer: Mailer,
        derived_tokens: DerivedTokens,
        *,
        enqueue: Callable[[str], bool],
        public_url: str,
        clock: Clock,
        new_id: NewId,
        nonce: Callable[[], str],
    ) -> None:
        self._lookup = lookup
        self._requests = requests
        self._mailer = mailer
        self._derived_tokens = derived_tokens
        self._enqueue = enqueue
        self._public_url = public_url
        self._clock = clock
        self._new_id = new_id
        self._nonce = nonce
        self._cursor: str | None = None

    def request(self, purpose: str, email: str) -> None:
        """Store a request for a mail to this address, whether or not an account has it."""
        request = self._requests.add(MailRequest(self._new_id(), purpose, email, self._clock(), version=1))
        self._enqueue(request.id)

    def deliver(self, request_id: str) -> bool:
        """Send the requested mail if it is due; return True if it was sent.

        May be repeated. Raises OSError if it must be tried again.
        """
        try:
            request, begun = self._begin(request_id)
        except NotFound:
            return False
        if not begun:
            return False
        account = None if request.is_stale(self._clock()) else self._recipient(request)
        if account is not None:
            self._send(request, account)
        self._delete_request(request)
        return account is not None

    def _begin(self, request_id: str) -> tuple[MailRequest, bool]:
        begun = False

        def count(request: MailRequest) -> None:
            nonlocal begun
            begun = request.begin_attempt(self._clock())

        return self._requests.update(request_id, count), begun

    def _recipient(self, request: MailRequest) -> Account | None:
        account = self._lookup.by_email(request.email)
        if account is None or (request.purpose == "verify" and account.email_verified):
            return None
        return account if account.is_usable else None

    def _send(self, request: MailRequest, account: Account) -> None:
        nonce, at = self._nonce(), self._clock()
        try:
            self._lookup.accounts.update(
                account.id, lambda found: found.issue_one_time_token(request.purpose, nonce, at)
            )
        except AccountEnded:
            return
        subject, page, reason, otherwise = _TEXTS[request.purpose]
        token = self._derived_tokens.make(request.purpose, account.id, nonce)
        link = f"{self._public_url}/{page}?token={quote(token)}"
        text = f"Hello {account.name},\n\n{reason}\n\n{link}\n\n{otherwise}\n\nHivemart\n"
        self._mailer.send(Mail(account.email, subject, text))

    def _delete_request(self, request: MailRequest) -> None:
        try:
            self._requests.delete(request)
        except (Conflict, NotFound):  # the worker and the background job may both have sent it
            return

    def deliver_due(self) -> int:
        """Send due mails that the worker did not send; return their number.

        Each call continues where the last one ended, and starts again at the end, so that no mail waits
        behind others forever.
        """
        now = self._clock()
        page = self._requests.find("asked", end=now - WORKER_DELAY, limit=50, cursor=self._cursor)
        self._cursor = page.next
        return sum(self._try_to_deliver(request.id) for request in page.items if request.is_due(now))

    def _try_to_deliver(self, request_id: str) -> bool:
        try:
            return self.deliver(request_id)
        except (OSError, CouchError) as error:
            log.warning("a mail was not sent: %s", error)
        except Exception:  # a fault of this mail must not block the others
            log.exception("mail %s cannot be sent", request_id)
        return False
