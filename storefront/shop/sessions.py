"""Session of a shopper, held in cookies only.

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

from chassis.clients import ServiceUnavailable
from shop.clients import Caller
from shop.services.accounts import AccountService, Tokens

_DAY = 86_400
_LASTS = {
    "refresh": 30 * _DAY,
    "name": 30 * _DAY,
    "ended": 30 * _DAY,
    "cart": 60 * _DAY,
    "consent": 180 * _DAY,
    "sid": 180 * _DAY,
}
#: A cookie of any other form is not ours and is never passed on to a service.
_SHAPE = re.compile(r"[A-Za-z0-9._~%+/=-]{1,4096}\Z")
#: Seconds by which the cookie expires before its token, so that no token expires during a request.
_MARGIN = 20


@dataclass(slots=True)
class Shopper:
    """Shopper of one request; changed cookies are collected and written onto the response."""

    cookies: dict[str, str]
    forwarded_for: str = ""
    changes: dict[str, tuple[str, int] | None] = field(default_factory=dict)
    #: Auth is unavailable, so it is unknown if the session still exists.
    session_unknown: bool = False

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
    def account_hidden(self) -> bool:
        """True if the account's data is inaccessible: its session ended elsewhere, or auth is unavailable."""
        return not self.signed_in and (self.session_unknown or bool(self.get("ended")))

    @property
    def name(self) -> str:
        return unquote(self.get("name")) if self.signed_in or self.session_unknown else ""

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

    def refresh(self, accounts: AccountService) -> None:
        """Get a new pair of tokens once the access token has expired.

        Several parts of a page may do so at once: within 10 s they get the same pair. While auth is
        unavailable the shopper continues as a guest and stays signed in for later.
        """
        if self.signed_in or not self.get("refresh"):
            return
        try:
            tokens = accounts.refresh(self.caller, self.get("refresh"))
        except ServiceUnavailable:
            self.session_unknown = True
            return
        if tokens is None:
            self.sign_out()
            self.set("ended", "yes")
        else:
            self.sign_in(tokens)

    def renew(self, accounts: AccountService) -> None:
        """Get a new pair in place of an access token that was refused, once.

        A new token that is refused too ends the session for this request only.
        """
        new = "access" in self.changes
        self.drop("access")
        if new:
            self.cookies["ended"] = "yes"
        else:
            self.refresh(accounts)

    def set_consent(self, yes: bool) -> None:
        self.set("consent", "yes" if yes else "no")
        if not yes:
            self.drop("sid")
        elif not self.get("sid"):
            self.set("sid", secrets.token_urlsafe(16))

    def reset_session_id(self) -> None:
        """Give this browser a new session id, so that its former views no longer belong to it."""
        if self.get("sid"):
            self.set("sid", secrets.token_urlsafe(16))

    def remember_cart(self, cart_id: str | None) -> None:
        """Store a guest's cart id once the cart exists."""
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
