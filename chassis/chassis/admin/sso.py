"""One sign-on for all admins.

The session cookie is exchanged at auth for an access token, which is kept for a minute.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from .models import StaffUser

#: Log-out and deactivation bite within this many seconds (architecture.md, Sessions).
KEEP = 60.0
MOST = 1000

Exchange = Callable[[str], Mapping[str, Any] | None]


class SignOnDown(Exception):
    """Auth does not answer: nobody's identity can be told just now."""


def cookie_name() -> str:
    """`__Host-` over TLS, the plain name on http://localhost."""
    return "__Host-staff_session" if settings.COOKIES_SECURE else "staff_session"


def exchange_at_auth(session: str) -> Mapping[str, Any] | None:
    """`{access, expires_in, user}` of a live session, None for one that has ended. Raises SignOnDown."""
    from chassis.clients import Refused, ServiceClient, ServiceUnavailable

    try:
        answer = ServiceClient("auth").post("/internal/sessions/token", {"session": session}, safe=True)
    except ServiceUnavailable as error:
        raise SignOnDown from error
    except Refused as error:
        if error.status in (400, 401):
            return None
        raise SignOnDown from error
    return answer.json if answer.status == 200 else None


class SignOn:
    """Sessions to users, each asked for once a minute and process."""

    def __init__(self, exchange: Exchange, clock: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()

    def user(self, session: str) -> StaffUser | None:
        """Who holds the session; None when it is not (or no longer) one."""
        if not session:
            return None
        key = hashlib.sha256(session.encode()).hexdigest()
        with self._lock:
            until, answer = self._known.get(key, (0.0, {}))
        if until <= self._clock():
            found = self._exchange(session)
            if found is None:
                self.forget(session)
                return None
            answer = found
            self._keep(key, answer)
        return staff_user(answer)

    def forget(self, session: str) -> None:
        """Ask again next time, as after a log-out in this process."""
        with self._lock:
            self._known.pop(hashlib.sha256(session.encode()).hexdigest(), None)

    def _keep(self, key: str, answer: Mapping[str, Any]) -> None:
        seconds = min(KEEP, float(answer.get("expires_in", KEEP)))
        with self._lock:
            self._known[key] = (self._clock() + seconds, answer)
            self._known.move_to_end(key)
            while len(self._known) > MOST:
                self._known.popitem(last=False)


def staff_user(answer: Mapping[str, Any]) -> StaffUser | None:
    """Return the user that an exchange answered, by the token's checked claims; None for a bad token."""
    from chassis.identity.authentication import user_principal
    from chassis.identity.tokens import BadToken, verify_access

    try:
        principal = user_principal(verify_access(answer["access"]), answer["access"])
    except BadToken:
        return None
    person = answer.get("user") or {}
    user = StaffUser(id=principal.id, name=person.get("name", ""), email=person.get("email", ""))
    user.principal, user.token = principal, answer["access"]
    return user


_sign_on: SignOn | None = None


def sign_on() -> SignOn:
    """Return the process's own sign-on.

    auth names its local exchange in settings (`STAFF_EXCHANGE`), all others ask over HTTP.
    """
    global _sign_on  # noqa: PLW0603 - one cache per process
    if _sign_on is None:
        path = getattr(settings, "STAFF_EXCHANGE", "chassis.admin.sso.exchange_at_auth")
        _sign_on = SignOn(import_string(path))
    return _sign_on


def use(replacement: SignOn | None) -> None:
    """For tests: sign on by this, or by the real one again."""
    global _sign_on  # noqa: PLW0603 - as above
    _sign_on = replacement


def user_of(request: HttpRequest) -> StaffUser | None:
    """Who is signed in, by the request's cookie. Raises SignOnDown."""
    return sign_on().user(request.COOKIES.get(cookie_name(), ""))
