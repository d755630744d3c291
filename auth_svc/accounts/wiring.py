"""The one place that chooses real parts."""

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
from chassis.couch import Collection, CouchError, Repository, couch_repository, open_store
from chassis.ids import new_id
from chassis.messaging import Relay, dead_letters
from chassis.wiring import Wiring

from . import repositories
from .domain import Account
from .keys import configured
from .passwords import Argon2
from .post import DjangoPost
from .services import (
    AccessTokens,
    Directory,
    Housekeeping,
    Mailing,
    Post,
    Profile,
    Recovery,
    Registration,
    Secrets,
    SignIn,
    StaffDesk,
)
from .services.ports import Hasher, Limiter

MAIL_TASK = "accounts.send_mail"
SUBSCRIPTIONS = {
    "account.verified": ("cart", "catalog", "checkout", "logs", "reco"),
    "account.erased": ("cart", "catalog", "checkout", "logs", "reco"),
    "audit.recorded": ("logs",),
}
COLLECTIONS = (*repositories.COLLECTIONS, dead_letters(repositories.DATABASE))


@dataclass(frozen=True)
class Outside:
    """What differs between production and tests."""

    repository: Callable[[Collection[Any]], Repository[Any]]
    hasher: Hasher
    post: Post
    enqueue: Callable[[str], bool]
    sign_in_limit: Limiter
    mail_limit: Limiter
    now: Callable[[], datetime] = clock.now


@dataclass(frozen=True)
class Parts:
    """Everything that views, the admin, tasks and the background use."""

    accounts: Repository[Account]
    access: AccessTokens
    registration: Registration
    signin: SignIn
    recovery: Recovery
    profile: Profile
    mailing: Mailing
    staff: StaffDesk
    housekeeping: Housekeeping


def assemble(outside: Outside) -> Parts:
    """All use cases over what is outside."""
    accounts = outside.repository(repositories.ACCOUNTS)
    families = outside.repository(repositories.FAMILIES)
    sessions = outside.repository(repositories.SESSIONS)
    directory = Directory(accounts, outside.repository(repositories.EMAILS))
    hasher, now, secrets = outside.hasher, outside.now, Secrets(settings.SECRET_KEY)
    access = AccessTokens(configured())
    mailing = Mailing(
        directory,
        outside.repository(repositories.MAILS),
        outside.post,
        secrets,
        enqueue=outside.enqueue,
        public_url=settings.PUBLIC_URL,
        clock=now,
        new_id=new_id,
        nonce=lambda: random.token_hex(16),
    )
    signin = SignIn(
        directory,
        families,
        hasher,
        access,
        secrets,
        limit=outside.sign_in_limit,
        lifetime=timedelta(days=settings.REFRESH_DAYS),
        clock=now,
        new_id=new_id,
    )
    registration = Registration(directory, hasher, mailing, clock=now, new_id=new_id)
    return Parts(
        accounts=accounts,
        access=access,
        registration=registration,
        signin=signin,
        recovery=Recovery(accounts, hasher, mailing, secrets, limit=outside.mail_limit, clock=now),
        profile=Profile(directory, hasher, limit=outside.sign_in_limit, clock=now, new_id=new_id),
        mailing=mailing,
        staff=StaffDesk(
            directory,
            sessions,
            hasher,
            access,
            signin,
            registration,
            lifetime=timedelta(hours=settings.STAFF_SESSION_HOURS),
            clock=now,
        ),
        housekeeping=Housekeeping(directory, families, sessions, clock=now),
    )


def _build() -> Parts:
    rate = settings.AUTH_ACCOUNT_RATE
    return assemble(
        Outside(
            repository=couch_repository,
            hasher=Argon2(places=settings.AUTH_HASHES_AT_ONCE, patience=settings.AUTH_HASH_PATIENCE),
            post=DjangoPost(),
            enqueue=lambda id: jobs.send(MAIL_TASK, id),
            sign_in_limit=Limit("account", rate=rate, burst=rate).check,
            mail_limit=Limit("mail", rate=5, per=3600, burst=5).check,
        )
    )


wiring: Wiring[Parts] = Wiring(_build)
parts = wiring.parts


def staff_exchange(session: str) -> Mapping[str, Any] | None:
    """What settings.STAFF_EXCHANGE names: this service's admin signs on without asking over HTTP."""
    from chassis.admin.signon import SignOnDown

    try:
        return parts().staff.exchange(session)
    except CouchError as error:
        raise SignOnDown from error


HANDLERS: dict[str, Any] = {}
RELAY = Relay(repositories.DATABASE, SUBSCRIPTIONS)
BACKGROUND = [
    *RELAY.jobs(),
    Job("mails", run=lambda: parts().mailing.sweep(), every=10),
    Job("claims", run=lambda: parts().housekeeping.free_claims(), every=300),
    Job("ended sessions", run=lambda: parts().housekeeping.forget_ended(), every=600),
]
READY = {"couchdb": lambda: open_store(repositories.DATABASE).get_local("ready")}
