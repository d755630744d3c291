"""Who the shopper is, by cookies, and nothing of it on a server.

| cookie | holds | lasts |
|---|---|---|
| `access`, `refresh` | the tokens of a signed-in shopper | the token's life; 30 days |
| `name` | the name for the header, so that no page has to ask auth for it | as `refresh` |
| `ended` | `yes` once a session ended elsewhere, until somebody signs in or out | 30 days |
| `cart` | a guest's cart id | 60 days |
| `consent` | `yes` or `no`, once the banner was answered | 180 days |
| `sid` | a random id that ties one browser's events together; only with consent | 180 days |

All are HttpOnly, SameSite=Lax; `__Host-` and Secure over TLS.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from chassis.siblings import SiblingDown
from shop.clients import Caller
from shop.services.people import People, Tokens

_DAY = 86_400
_LASTS = {
    "refresh": 30 * _DAY,
    "name": 30 * _DAY,
    "ended": 30 * _DAY,
    "cart": 60 * _DAY,
    "consent": 180 * _DAY,
    "sid": 180 * _DAY,
}
#: A cookie of any other form was not ours, and never reaches a header of a call to a service.
_SHAPE = re.compile(r"[A-Za-z0-9._~%+/=-]{1,4096}\Z")
#: Seconds that the cookie ends before its token, so that no call starts with one that ends on its way.
_MARGIN = 20


@dataclass(slots=True)
class Shopper:
    """One request's shopper. Setting or dropping a cookie is remembered and written onto the answer."""

    cookies: dict[str, str]
    forwarded_for: str = ""
    changes: dict[str, tuple[str, int] | None] = field(default_factory=dict)
    #: The session may exist, but auth could not be asked: not signed out, only not known.
    unsure: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> Shopper:
        names = ("access", "refresh", "name", "ended", "cart", "consent", "sid")
        found = {name: request.COOKIES.get(cookie_name(name), "") for name in names}
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") or request.META.get("REMOTE_ADDR", "")
        return cls({n: v for n, v in found.items() if _SHAPE.match(v)}, forwarded.rpartition(",")[2].strip())

    def get(self, name: str) -> str:
        return self.cookies.get(name, "")

    def set(self, name: str, value: str, lasts: int | None = None) -> None:
        self.cookies[name] = value
        self.changes[name] = (value, _LASTS[name] if lasts is None else lasts)

    def drop(self, *names: str) -> None:
        for name in names:
            if self.cookies.pop(name, None) is not None or name in self.changes:
                self.changes[name] = None

    @property
    def signed_in(self) -> bool:
        return bool(self.get("access"))

    @property
    def apart(self) -> bool:
        """True when an account's things cannot be seen now: its session ended elsewhere, or auth is away."""
        return not self.signed_in and (self.unsure or bool(self.get("ended")))

    @property
    def name(self) -> str:
        return unquote(self.get("name")) if self.signed_in or self.unsure else ""

    @property
    def consented(self) -> bool:
        return self.get("consent") == "yes"

    @property
    def caller(self) -> Caller:
        return Caller(
            token=self.get("access") or None,
            cart_id=self.get("cart") or None,
            session_id=self.get("sid") or None if self.consented else None,
            forwarded_for=self.forwarded_for,
        )

    def sign_in(self, tokens: Tokens, name: str = "") -> None:
        self.set("access", tokens.access, max(30, tokens.expires_in - _MARGIN))
        self.set("refresh", tokens.refresh)
        self.drop("ended")
        if name:
            self.set("name", quote(name[:80], safe=""))

    def sign_out(self) -> None:
        self.drop("access", "refresh", "name", "ended")

    def refresh(self, people: People) -> None:
        """Get a new pair when the access token has ended. Several parts of a page may do so at once: within
        10 s they get the same pair. While auth is away the shopper goes on as a guest, and stays signed in
        for later."""
        if self.signed_in or not self.get("refresh"):
            return
        try:
            tokens = people.refresh(self.caller, self.get("refresh"))
        except SiblingDown:
            self.unsure = True
            return
        if tokens is None:
            self.sign_out()
            self.set("ended", "yes")
        else:
            self.sign_in(tokens)

    def renew(self, people: People) -> None:
        """Get a new pair in place of an access token that was refused, once: a new one that is refused too
        ends nothing for good, but for this request."""
        new = "access" in self.changes
        self.drop("access")
        if new:
            self.cookies["ended"] = "yes"
        else:
            self.refresh(people)

    def agree(self, yes: bool) -> None:
        self.set("consent", "yes" if yes else "no")
        if not yes:
            self.drop("sid")
        elif not self.get("sid"):
            self.set("sid", secrets.token_urlsafe(16))

    def begin_anew(self) -> None:
        """Another name for this browser: what it looked at no longer belongs to it."""
        if self.get("sid"):
            self.set("sid", secrets.token_urlsafe(16))

    def keep_cart(self, cart_id: str | None) -> None:
        """Remembers a guest's cart once it exists."""
        if cart_id and not self.signed_in and cart_id != self.get("cart"):
            self.set("cart", cart_id)

    def write(self, response: HttpResponse) -> HttpResponse:
        for name, change in self.changes.items():
            value, lasts = change or ("", 0)
            response.set_cookie(
                cookie_name(name),
                value,
                max_age=lasts,
                path="/",
                secure=settings.COOKIES_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


def cookie_name(name: str) -> str:
    return f"__Host-{name}" if settings.COOKIES_SECURE else name
