"""The container of this service: the one place that chooses real adapters."""

from __future__ import annotations

import secrets as random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from chassis import clock, jobs
from chassis.api.throttling import Limit
from chassis.background import Job
from chassis.container import Container
from chassis.couch import Collection, CouchError, Repository, couch_repository, open_store
from chassis.ids import new_id
from chassis.messaging import Relay, dead_letters

from . import repositories
from .domain import Account
from .keys import load_signing_keys
from .mailer import DjangoMailer
from .passwords import Argon2
from .services import (
    AccessTokens,
    AccountLookup,
    AccountMailService,
    Cleanup,
    DerivedTokens,
    Mailer,
    Profile,
    Recovery,
    Registration,
    SignIn,
    StaffService,
)
from .services.ports import Hasher, Limiter

MAIL_TASK = "accounts.send_mail"
SUBSCRIPTIONS = {
    "account.erased": ("cart", "catalog", "checkout", "logs", "reco"),
    "audit.recorded": ("logs",),
}
COLLECTIONS = (*repositories.COLLECTIONS, dead_letters(repositories.DATABASE))


@dataclass(frozen=True)
class Adapters:
    """The adapters that differ between production and tests."""

    repository: Callable[[Collection[Any]], Repository[Any]]
    hasher: Hasher
    mailer: Mailer
    enqueue: Callable[[str], bool]
    sign_in_limit: Limiter
    mail_limit: Limiter
    now: Callable[[], datetime] = clock.now


@dataclass(frozen=True)
class Dependencies:
    """The use cases that views, the admin, tasks and background jobs call."""

    accounts: Repository[Account]
    access: AccessTokens
    registration: Registration
    signin: SignIn
    recovery: Recovery
    profile: Profile
    account_mail: AccountMailService
    staff: StaffService
    cleanup: Cleanup


def bootstrap(outside: Adapters) -> Dependencies:
    """Return all use cases over these adapters."""
    accounts = outside.repository(repositories.ACCOUNTS)
    families = outside.repository(repositories.FAMILIES)
    sessions = outside.repository(repositories.SESSIONS)
    lookup = AccountLookup(accounts, outside.repository(repositories.EMAILS))
    hasher, now, derived_tokens = outside.hasher, outside.now, DerivedTokens(settings.SECRET_KEY)
    access = AccessTokens(load_signing_keys())
    account_mail = AccountMailService(
        lookup,
        outside.repository(repositories.MAILS),
        outside.mailer,
        derived_tokens,
        enqueue=outside.enqueue,
        public_url=settings.PUBLIC_URL,
        clock=now,
        new_id=new_id,
        nonce=lambda: random.token_hex(16),
    )
    signin = SignIn(
        lookup,
        families,
        hasher,
        access,
        derived_tokens,
        limit=outside.sign_in_limit,
        lifetime=timedelta(days=settings.REFRESH_DAYS),
        clock=now,
        new_id=new_id,
    )
    registration = Registration(lookup, hasher, account_mail, clock=now, new_id=new_id)
    return Dependencies(
        accounts=accounts,
        access=access,
        registration=registration,
        signin=signin,
        recovery=Recovery(
            accounts, hasher, account_mail, derived_tokens, limit=outside.mail_limit, clock=now
        ),
        profile=Profile(lookup, hasher, limit=outside.sign_in_limit, clock=now, new_id=new_id),
        account_mail=account_mail,
        staff=StaffService(
            lookup,
            sessions,
            hasher,
            access,
            signin,
            registration,
            lifetime=timedelta(hours=settings.STAFF_SESSION_HOURS),
            clock=now,
        ),
        cleanup=Cleanup(lookup, families, sessions, clock=now),
    )


def _build() -> Dependencies:
    rate = settings.AUTH_ACCOUNT_RATE
    return bootstrap(
        Adapters(
            repository=couch_repository,
            hasher=Argon2(slots=settings.AUTH_HASHES_AT_ONCE, timeout=settings.AUTH_HASH_PATIENCE),
            mailer=DjangoMailer(),
            enqueue=lambda id: jobs.send(MAIL_TASK, id),
            sign_in_limit=Limit("account", rate=rate, burst=rate).check,
            mail_limit=Limit("mail", rate=5, per=3600, burst=5).check,
        )
    )


container: Container[Dependencies] = Container(_build)
dependencies = container.get


def staff_exchange(session: str) -> Mapping[str, Any] | None:
    """Exchange a staff session in this process, as settings.STAFF_EXCHANGE names it."""
    from chassis.admin.sso import SignOnDown

    try:
        return dependencies().staff.exchange(session)
    except CouchError as error:
        raise SignOnDown from error


HANDLERS: dict[str, Any] = {}
RELAY = Relay(repositories.DATABASE, SUBSCRIPTIONS)
BACKGROUND = [
    *RELAY.jobs(),
    Job("mails", run=lambda: dependencies().account_mail.deliver_due(), every=10),
    Job("claims", run=lambda: dependencies().cleanup.release_orphaned_claims(), every=300),
    Job("ended sessions", run=lambda: dependencies().cleanup.delete_expired(), every=600),
]
READY = {"couchdb": lambda: open_store(repositories.DATABASE).get_local("ready")}
