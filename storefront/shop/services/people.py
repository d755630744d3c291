"""Signing in and out, and the shopper's own data."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from chassis.siblings import Refused, SiblingDown
from shop.clients import Auth, Caller, Cart, Json
from shop.domain.checkout import ADDRESS_FIELDS


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens and how many seconds the first one lasts."""

    access: str
    refresh: str
    expires_in: int

    @classmethod
    def of(cls, answer: Json) -> Tokens:
        return cls(answer["access"], answer["refresh"], int(answer.get("expires_in") or 600))


class People:
    def __init__(self, *, auth: Auth, cart: Cart) -> None:
        self._auth, self._cart = auth, cart

    def sign_in(self, who: Caller, *, email: str, password: str, otp: str = "") -> tuple[Tokens, str]:
        """The tokens and the shopper's name. Raises `Refused` (401, 429) and `SiblingDown`."""
        tokens = Tokens.of(self._auth.token(who, email=email, password=password, otp=otp))
        return tokens, self.name(Caller(token=tokens.access, forwarded_for=who.forwarded_for))

    def sign_up(self, who: Caller, *, email: str, password: str, name: str) -> tuple[Tokens, str]:
        """Raises `Refused` (400, 409, 429) and `SiblingDown`."""
        answer = self._auth.register(who, email=email, password=password, name=name)
        return Tokens.of(answer), str((answer.get("user") or {}).get("name") or name)

    def sign_out(self, who: Caller, refresh: str) -> None:
        """Best effort: the cookies go in any case, and the tokens end by themselves."""
        with suppress(Refused, SiblingDown):
            self._auth.revoke(who, refresh)

    def refresh(self, who: Caller, refresh: str) -> Tokens | None:
        """A new pair, or None when the session has ended. Raises `SiblingDown`: then nobody knows."""
        try:
            return Tokens.of(self._auth.refresh(who, refresh))
        except Refused as no:
            if no.status in (400, 401):
                return None
            raise SiblingDown(no.sibling, f"answered {no.status} to a refresh", no.status) from no

    def adopt(self, who: Caller, guest_cart: str) -> bool:
        """Merges the guest's cart into the account's; False when it must be tried again later."""
        try:
            self._cart.merge(who, guest_cart)
        except Refused as no:
            return no.status in (400, 404, 422)
        except SiblingDown:
            return False
        return True

    def name(self, who: Caller) -> str:
        """The name for the header; empty when auth cannot say."""
        try:
            return str(self._auth.me(who).get("name") or "")
        except (Refused, SiblingDown):
            return ""

    def prefill(self, who: Caller) -> dict[str, str]:
        """The checkout form's e-mail, name and newest address, as far as auth can say; empty when it
        cannot."""
        try:
            me = self._auth.me(who)
            addresses = self._auth.addresses(who)
        except (Refused, SiblingDown):
            return {}
        known = {"email": str(me.get("email") or ""), "name": str(me.get("name") or "")}
        for address in addresses[-1:]:
            known |= {n: str(address[n]) for n in ADDRESS_FIELDS if address.get(n)}
        return known

    def me(self, who: Caller) -> Json:
        return self._auth.me(who)

    def rename(self, who: Caller, name: str) -> Json:
        return self._auth.rename(who, name)

    def forgot(self, who: Caller, email: str) -> None:
        self._auth.forgot(who, email)

    def reset(self, who: Caller, token: str, password: str) -> None:
        self._auth.reset(who, token, password)

    def verify(self, who: Caller, token: str) -> None:
        self._auth.verify(who, token)
