"""Fixtures: settings, known keys, and the use cases in memory."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis.testing.django import setup
from chassis.testing.identity import AUTH_KEY, KID

os.environ["AUTH_RATE"] = "100000"  # limits have tests of their own
os.environ["AUTH_SIGNING_KEYS"] = f"{KID}:{base64.b64encode(AUTH_KEY.private_bytes_raw()).decode()}"
setup(__file__)

from accounts import container  # noqa: E402 - needs Django
from accounts.services import Mail  # noqa: E402
from chassis.admin import sso  # noqa: E402
from chassis.api.errors import TooManyRequests  # noqa: E402
from chassis.clock import now  # noqa: E402
from chassis.couch import MemoryRepository  # noqa: E402


class PlainHasher:
    """A hasher without cost, whose hashes can be read."""

    def __init__(self) -> None:
        self.checked: list[str] = []

    def hash(self, password: str) -> str:
        return "plain:" + base64.b64encode(password.encode()).decode()

    def verify(self, password: str, hashed: str) -> bool:
        self.checked.append(hashed)
        return bool(hashed) and hashed == self.hash(password)

    def is_outdated(self, hashed: str) -> bool:
        return not hashed.startswith("plain:")


class FakeMailer:
    """A mailer that collects mails."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.unavailable = False

    def send(self, mail: Mail) -> None:
        if self.unavailable:
            raise OSError("no way out")
        self.mails.append(mail)

    def token(self) -> str:
        """Return the token of the last link."""
        from urllib.parse import unquote

        return unquote(self.mails[-1].text.split("?token=")[1].split()[0])


class Clock:
    """A clock that tests set; each reading advances it by a millisecond."""

    def __init__(self) -> None:
        self.at = now()

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


class Attempts:
    """A limiter that allows `limit` attempts per key."""

    def __init__(self) -> None:
        self.limit = 1000
        self.seen: dict[str, int] = {}

    def __call__(self, key: str) -> None:
        self.seen[key] = self.seen.get(key, 0) + 1
        if self.seen[key] > self.limit:
            raise TooManyRequests(30)


class World:
    """The service's use cases and the fakes around them."""

    def __init__(self) -> None:
        self.hasher, self.mailer, self.clock = PlainHasher(), FakeMailer(), Clock()
        self.attempts, self.mail_attempts = Attempts(), Attempts()
        self.queue: list[str] = []
        self.repositories: dict[str, Any] = {}
        self.parts = container.bootstrap(
            container.Adapters(
                repository=self.repository,
                hasher=self.hasher,
                mailer=self.mailer,
                enqueue=self.enqueue,
                sign_in_limit=self.attempts,
                mail_limit=self.mail_attempts,
                now=self.clock,
            )
        )

    def repository(self, collection: Any) -> Any:
        return self.repositories.setdefault(collection.kind, MemoryRepository(collection))

    def enqueue(self, id: str) -> bool:
        self.queue.append(id)
        return True

    def deliver(self) -> None:
        """Deliver all queued mails, as the worker does."""
        for id in self.queue:
            self.parts.account_mail.deliver(id)
        self.queue.clear()

    def account(self, email: str = "ada@example.com", password: str = "correct horse", **fields: Any) -> Any:  # noqa: S107 - a test password
        """Register an account and set `fields` on it."""
        account = self.parts.registration.register(email=email, password=password, name="Ada")
        for name, value in fields.items():
            account = self.parts.accounts.update(account.id, lambda a, n=name, v=value: setattr(a, n, v))
        return account


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with container.container.override(made.parts):
        sso.use(None)
        yield made
    sso.use(None)
