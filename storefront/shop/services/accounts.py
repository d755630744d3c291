"""Sign-in, sign-out, and the shopper's own data."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from chassis.clients import Refused, ServiceUnavailable
from shop.clients import Auth, Caller, Cart, Json
from shop.domain.checkout import ADDRESS_FIELDS


@dataclass(frozen=True, slots=True)
class Tokens:
    """Pair of tokens, and the seconds until the access token expires."""

    access: str
    refresh: str
    expires_in: int

    @classmethod
    def of(cls, answer: Json) -> Tokens:
        return cls(answer["access"], answer["refresh"], int(answer.get("expires_in") or 600))


class AccountService:
    """Use cases of accounts."""

    def __init__(self, *, auth: Auth, cart: Cart) -> None:
        self._auth, self._cart = auth, cart

    def sign_in(self, caller: Caller, *, email: str, password: str, otp: str = "") -> tuple[Tokens, str]:
        """Return the tokens and the shopper's name.

        Raises `Refused` (401, 429) and `ServiceUnavailable`.
        """
        tokens = Tokens.of(self._auth.token(caller, email=email, password=password, otp=otp))
        return tokens, self.name(Caller(token=tokens.access, forwarded_for=caller.forwarded_for))

    def sign_up(self, caller: Caller, *, email: str, password: str, name: str) -> tuple[Tokens, str]:
        """Create an account; return its tokens and name.

        Raises `Refused` (400, 409, 429) and `ServiceUnavailable`.
        """
        answer = self._auth.register(caller, email=email, password=password, name=name)
        return Tokens.of(answer), str((answer.get("user") or {}).get("name") or name)

    def sign_out(self, caller: Caller, refresh: str) -> None:
        """Revoke the tokens, best effort: the cookies are deleted anyway, and tokens expire."""
        with suppress(Refused, ServiceUnavailable):
            self._auth.revoke(caller, refresh)

    def refresh(self, caller: Caller, refresh: str) -> Tokens | None:
        """Return a new pair, or None if the session has ended.

        Raises `ServiceUnavailable` if that cannot be known.
        """
        try:
            return Tokens.of(self._auth.refresh(caller, refresh))
        except Refused as refused:
            if refused.status in (400, 401):
                return None
            raise ServiceUnavailable(
                refused.service, f"answered {refused.status} to a refresh", refused.status
            ) from refused

    def merge_guest_cart(self, caller: Caller, guest_cart: str) -> bool:
        """Merge the guest's cart into the account's; return False if it must be tried again later."""
        try:
            self._cart.merge(caller, guest_cart)
        except Refused as refused:
            return refused.status in (400, 404, 422)
        except ServiceUnavailable:
            return False
        return True

    def name(self, caller: Caller) -> str:
        """Return the name for the header; empty if auth is unavailable."""
        try:
            return str(self._auth.me(caller).get("name") or "")
        except (Refused, ServiceUnavailable):
            return ""

    def prefill(self, caller: Caller) -> dict[str, str]:
        """Return e-mail, name and newest address for the checkout form; empty if auth is unavailable."""
        try:
            me = self._auth.me(caller)
            addresses = self._auth.addresses(caller)
        except (Refused, ServiceUnavailable):
            return {}
        known = {"email": str(me.get("email") or ""), "name": str(me.get("name") or "")}
        for address in addresses[-1:]:
            known |= {n: str(address[n]) for n in ADDRESS_FIELDS if address.get(n)}
        return known

    def me(self, caller: Caller) -> Json:
        return self._auth.me(caller)

    def rename(self, caller: Caller, name: str) -> Json:
        return self._auth.rename(caller, name)

    def forgot(self, caller: Caller, email: str) -> None:
        self._auth.forgot(caller, email)

    def reset(self, caller: Caller, token: str, password: str) -> None:
        self._auth.reset(caller, token, password)

    def verify(self, caller: Caller, token: str) -> None:
        self._auth.verify(caller, token)
