"""Mails: asked for in a document, sent by a worker, looked after by a sweeper."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from urllib.parse import quote

from accounts.domain import Account, AccountEnded, MailRequest
from chassis.couch import Conflict, CouchError, NotFound, Repository

from .directory import Directory
from .ports import Clock, NewId
from .tokens import Secrets

log = logging.getLogger("accounts.mail")

#: The sweeper leaves a fresh request to the worker for this long.
PATIENCE = timedelta(seconds=20)
_WORDS = {
    "reset": (
        "Choose a new password",
        "reset",
        "somebody, hopefully you, asked to set a new password for your account; the link works for an hour:",
        "If it was not you, leave this mail alone: nothing has changed.",
    ),
    "verify": (
        "Confirm your e-mail",
        "verify",
        "welcome to Hivemart. Please confirm that this address is yours; the link works for three days:",
        "If you did not make an account with us, leave this mail alone.",
    ),
}


@dataclass(frozen=True, slots=True)
class Mail:
    """Plain text to one person."""

    to: str
    subject: str
    text: str


class Post(Protocol):
    """Sends a mail; raises OSError when it did not leave."""

    def send(self, mail: Mail) -> None: ...


class Mailing:
    """`enqueue(id)` tells the worker, best effort; the request in the store is what counts."""

    def __init__(
        self,
        directory: Directory,
        requests: Repository[MailRequest],
        post: Post,
        secrets: Secrets,
        *,
        enqueue: Callable[[str], bool],
        public_url: str,
        clock: Clock,
        new_id: NewId,
        nonce: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._requests = requests
        self._post = post
        self._secrets = secrets
        self._enqueue = enqueue
        self._public_url = public_url
        self._clock = clock
        self._new_id = new_id
        self._nonce = nonce
        self._swept_to: str | None = None

    def ask(self, purpose: str, email: str) -> None:
        """Write down that this address wants a mail, whether or not anybody has it."""
        request = self._requests.add(MailRequest(self._new_id(), purpose, email, self._clock(), version=1))
        self._enqueue(request.id)

    def deliver(self, request_id: str) -> bool:
        """Send what was asked for, if it is due; whether a mail left. May be repeated. Raises OSError to be
        tried again.
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
        self._done(request)
        return account is not None

    def _begin(self, request_id: str) -> tuple[MailRequest, bool]:
        begun = False

        def count(request: MailRequest) -> None:
            nonlocal begun
            begun = request.begin_attempt(self._clock())

        return self._requests.update(request_id, count), begun

    def _recipient(self, request: MailRequest) -> Account | None:
        account = self._directory.by_email(request.email)
        if account is None or (request.purpose == "verify" and account.email_verified):
            return None
        return account if account.is_usable else None

    def _send(self, request: MailRequest, account: Account) -> None:
        nonce, at = self._nonce(), self._clock()
        try:
            self._directory.accounts.update(
                account.id, lambda found: found.allow_once(request.purpose, nonce, at)
            )
        except AccountEnded:
            return
        subject, page, why, otherwise = _WORDS[request.purpose]
        link = (
            f"{self._public_url}/{page}?token={quote(self._secrets.make(request.purpose, account.id, nonce))}"
        )
        text = f"Hello {account.name},\n\n{why}\n\n{link}\n\n{otherwise}\n\nHivemart\n"
        self._post.send(Mail(account.email, subject, text))

    def _done(self, request: MailRequest) -> None:
        try:
            self._requests.delete(request)
        except (Conflict, NotFound):  # the other one of worker and sweeper did it
            return

    def sweep(self) -> int:
        """Send what the worker did not; how many mails left. Goes on where the last sweep ended, and round
        again, so that no mail waits behind others for ever.
        """
        now = self._clock()
        page = self._requests.find("asked", end=now - PATIENCE, limit=50, cursor=self._swept_to)
        self._swept_to = page.next
        return sum(self._delivered(request.id) for request in page.items if request.is_due(now))

    def _delivered(self, request_id: str) -> bool:
        try:
            return self.deliver(request_id)
        except (OSError, CouchError) as error:
            log.warning("a mail did not leave: %s", error)
        except Exception:  # of this mail, and no reason to keep the others
            log.exception("mail %s cannot be sent", request_id)
        return False
