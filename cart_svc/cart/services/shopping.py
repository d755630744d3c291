"""What a shopper does with a cart."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cart.clients import Catalog, CatalogAway
from cart.domain import (
    Answer,
    Cart,
    Coupon,
    NoSuchLine,
    Offer,
    PricedCart,
    Refused,
    account_cart_id,
    price_cart,
)
from cart.domain.offer import could_be_sku
from chassis.api.errors import NotFound as NotHere
from chassis.api.errors import Unavailable as Away
from chassis.api.errors import Unprocessable
from chassis.couch import Busy, NotFound, Repository, Unavailable


class _UnknownSku(Refused):
    def __init__(self) -> None:
        super().__init__("unknown-sku", "There is nothing for sale under this SKU.")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is shopping: an account, or whoever holds a guest cart's id, or a guest without one."""

    account_id: str | None = None
    cart_id: str | None = None


@dataclass(frozen=True, slots=True)
class AddAnswer:
    """`guest_cart` is the id that the guest has to keep; `replayed` when the key had been answered before."""

    cart: PricedCart
    status: int
    guest_cart: str | None
    replayed: bool = False


class Shopping:
    def __init__(
        self,
        *,
        carts: Repository[Cart],
        coupons: Repository[Coupon],
        catalog: Catalog,
        clock: Callable[[], datetime],
        new_secret: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._carts, self._coupons, self._catalog = carts, coupons, catalog
        self._clock, self._new_secret = clock, new_secret

    # -- looking
    def cart_view(self, holder: Holder) -> PricedCart:
        """The holder's cart with the prices of now; an empty one, not stored, when there is none."""
        cart = self._find(holder)
        return self._priced_now(cart) if cart else PricedCart()

    # -- lines
    def line_add(
        self, holder: Holder, *, sku: str, quantity: int, key: str | None, fingerprint: str
    ) -> AddAnswer:
        """201 for a new line, 200 for a raised one; problems 422 and, for a SKU not looked at before, 503."""
        cart = self._find(holder)
        key = hashlib.sha256(key.encode()).hexdigest() if key else None
        if cart and key and key in cart.answers:
            return self._replay(cart, key, fingerprint)
        offers, stale = self._look_up(cart, sku)
        if cart is None and sku not in offers:
            raise _problem(_UnknownSku())
        adding = _Adding(offers.get(sku), quantity, key, fingerprint, self._clock())
        cart = self._write(cart, holder, adding)
        if adding.replayed:
            return self._replay(cart, str(key), fingerprint)
        return self._answer(cart, adding.answer, self._priced(cart, None if stale else offers))

    def line_set(self, holder: Holder, *, sku: str, quantity: int) -> PricedCart:
        return self._change(holder, lambda cart: cart.set_quantity(sku, quantity, self._clock()))

    def line_remove(self, holder: Holder, *, sku: str) -> PricedCart:
        return self._change(holder, lambda cart: cart.remove(sku, self._clock()))

    def line_save(self, holder: Holder, *, sku: str) -> PricedCart:
        return self._change(holder, lambda cart: cart.save_for_later(sku, self._clock()))

    def line_restore(self, holder: Holder, *, sku: str) -> PricedCart:
        return self._change(holder, lambda cart: cart.restore(sku, self._clock()))

    def cart_empty(self, holder: Holder) -> PricedCart:
        if self._find(holder) is None:
            return PricedCart()
        return self._change(holder, lambda cart: cart.empty(self._clock()))

    # -- coupons
    def coupon_set(self, holder: Holder, *, code: str) -> PricedCart:
        """422 `unknown-coupon` or `coupon-ended`. What it takes off is worked out at every look."""
        coupon = self._coupon(code.strip().upper())
        if coupon is None:
            raise Unprocessable("unknown-coupon", "There is no such coupon.")
        try:
            coupon.check(self._clock())
        except Refused as refused:
            raise _problem(refused) from refused
        return self._change(holder, lambda cart: cart.set_coupon(coupon.id, self._clock()))

    def coupon_remove(self, holder: Holder) -> PricedCart:
        if self._find(holder) is None:
            return PricedCart()
        return self._change(holder, lambda cart: cart.set_coupon(None, self._clock()))

    # -- a guest who signs in
    def cart_merge(self, account_id: str, *, guest_cart: str) -> PricedCart:
        """Close the guest's cart, take its content over in one write that notes its id, then empty it.
        Repeating any of the three changes nothing. 404 for what is no guest's cart, or was another account's.
        """
        mine = account_cart_id(account_id)
        try:
            guest = self._carts.update(guest_cart, lambda cart: self._hand_over(cart, mine))
        except NotFound:
            return self._merged_before(account_id, guest_cart)
        cart = self._carts.update(
            mine,
            lambda cart: cart.merge(guest, self._clock()),
            create=lambda: Cart.for_account(account_id, self._clock()),
        )
        self._carts.update(guest_cart, lambda left: left.forget_content(self._clock()))
        return self._priced_now(cart)

    def _hand_over(self, guest: Cart, account_cart: str) -> None:
        if not guest.hand_over(account_cart, self._clock()):
            raise NotHere(detail="There is no such guest cart.")

    def _merged_before(self, account_id: str, guest_cart: str) -> PricedCart:
        """A guest's cart that was swept away after it was merged."""
        cart = self._find(Holder(account_id=account_id))
        if cart is None or guest_cart not in cart.merged_from:
            raise NotHere(detail="There is no such guest cart.")
        return self._priced_now(cart)

    # -- parts of the above
    def _find(self, holder: Holder) -> Cart | None:
        """The account's cart; else the guest's, whose id opens neither an account's cart nor a merged one."""
        wanted = account_cart_id(holder.account_id) if holder.account_id else holder.cart_id
        if wanted is None:
            return None
        try:
            cart = self._carts.get(wanted)
        except NotFound:
            return None
        return cart if holder.account_id or (cart.guest and cart.merged_into is None) else None

    def _look_up(self, cart: Cart | None, sku: str) -> tuple[Mapping[str, Offer], bool]:
        """What is in the cart and this SKU; True with it when that is only what was last seen."""
        known = cart.skus if cart else []
        wanted = [*known, sku] if could_be_sku(sku) and sku not in known else known
        try:
            return (self._catalog.offers(wanted) if wanted else {}), False
        except CatalogAway as away:
            if cart is None or sku not in known:
                raise Away("catalog-away", "The catalogue does not answer just now.", retry_after=2) from away
            return {line.sku: line.seen for line in (*cart.saved, *cart.lines)}, True

    def _write(self, cart: Cart | None, holder: Holder, adding: _Adding) -> Cart:
        if cart is not None:
            return self._carts.update(cart.id, _if_open(adding.apply))
        if holder.account_id is not None:
            account_id = holder.account_id
            mine = account_cart_id(account_id)
            return self._carts.update(
                mine, adding.apply, create=lambda: Cart.for_account(account_id, self._clock())
            )
        # Never under an id that the caller chose: whoever planted it could look in.
        secret = self._new_secret()
        return self._carts.update(secret, adding.apply, create=lambda: Cart.for_guest(secret, self._clock()))

    def _change(self, holder: Holder, change: Callable[[Cart], None]) -> PricedCart:
        cart = self._find(holder)
        if cart is None:
            raise NotHere(detail="There is no such cart.")
        try:
            return self._priced_now(self._carts.update(cart.id, _if_open(change)))
        except NoSuchLine as missing:
            raise NotHere(detail="The cart does not hold this SKU there.") from missing
        except Refused as refused:
            raise _problem(refused) from refused

    def _replay(self, cart: Cart, key: str, fingerprint: str) -> AddAnswer:
        answer = cart.answers[key]
        if answer.fingerprint != fingerprint:
            raise Unprocessable("idempotency-key-reused", "This Idempotency-Key was used for another body.")
        return self._answer(cart, answer, self._priced_now(cart), replayed=True)

    def _answer(self, cart: Cart, answer: Answer, priced: PricedCart, *, replayed: bool = False) -> AddAnswer:
        if answer.type:
            headers = {"Idempotent-Replay": "true"} if replayed else {}
            raise Unprocessable(answer.type, answer.detail, headers=headers)
        return AddAnswer(priced, answer.status, cart.id if cart.guest else None, replayed)

    def _priced_now(self, cart: Cart) -> PricedCart:
        return self._priced(cart, self._offers_now(cart))

    def _priced(self, cart: Cart, offers: Mapping[str, Offer] | None) -> PricedCart:
        if offers is not None:
            self._remember(cart, offers)
        return price_cart(cart, offers, self._coupon(cart.coupon) if cart.coupon else None, self._clock())

    def _offers_now(self, cart: Cart) -> Mapping[str, Offer] | None:
        try:
            return self._catalog.offers(cart.skus) if cart.skus else {}
        except CatalogAway:
            return None

    def _remember(self, cart: Cart, offers: Mapping[str, Offer]) -> None:
        """What was just seen is what holds while the catalogue is away. Best effort: it is only a memory."""
        if not cart.look(offers):
            return
        try:
            self._carts.update(cart.id, lambda found: _look(found, offers))
        except (Busy, NotFound, Unavailable):
            return

    def _coupon(self, code: str) -> Coupon | None:
        try:
            return self._coupons.get(code)
        except NotFound:
            return None


class _Adding:
    """One request to add, tried on the cart perhaps several times; a refusal is an answer to keep as well."""

    def __init__(
        self, offer: Offer | None, quantity: int, key: str | None, fingerprint: str, at: datetime
    ) -> None:
        self.offer, self.quantity, self.key, self.fingerprint, self.at = offer, quantity, key, fingerprint, at
        self.answer = Answer(fingerprint, 200)
        self.replayed = False

    def apply(self, cart: Cart) -> None:
        self.replayed = self.key is not None and self.key in cart.answers
        if self.replayed:  # a twin was quicker
            return
        self.answer = self._try(cart)
        if self.key:
            cart.remember_answer(self.key, self.answer)

    def _try(self, cart: Cart) -> Answer:
        try:
            if self.offer is None:
                raise _UnknownSku
            status = 201 if cart.add(self.offer, self.quantity, self.at) else 200
        except Refused as refused:
            return Answer(self.fingerprint, 422, refused.type, refused.detail)
        return Answer(self.fingerprint, status)


def _if_open(change: Callable[[Cart], None]) -> Callable[[Cart], None]:
    """A guest's cart that an account took over in between takes no more: it would be lost there."""

    def guarded(cart: Cart) -> None:
        if cart.merged_into is not None:
            raise NotHere(detail="This cart was merged into an account's.")
        change(cart)

    return guarded


def _look(cart: Cart, offers: Mapping[str, Offer]) -> None:
    cart.look(offers)


def _problem(refused: Refused) -> Unprocessable:
    return Unprocessable(refused.type, refused.detail)
