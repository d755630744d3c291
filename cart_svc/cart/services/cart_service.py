"""Use cases of shoppers on their cart."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cart.clients import Catalog, CatalogUnavailable
from cart.domain import (
    Cart,
    Coupon,
    LineNotFound,
    Offer,
    PricedCart,
    RuleViolation,
    StoredResponse,
    account_cart_id,
    price_cart,
)
from cart.domain.offer import is_valid_sku
from chassis.api.errors import NotFound as NotFoundProblem
from chassis.api.errors import Unavailable as UnavailableProblem
from chassis.api.errors import Unprocessable
from chassis.couch import Busy, NotFound, Repository, Unavailable


class _UnknownSku(RuleViolation):
    def __init__(self) -> None:
        super().__init__("unknown-sku", "There is nothing for sale under this SKU.")


@dataclass(frozen=True, slots=True)
class CartOwner:
    """The shopper: an account, a guest with a cart id, or a guest without one."""

    account_id: str | None = None
    cart_id: str | None = None


@dataclass(frozen=True, slots=True)
class AddResult:
    """The result of adding a line.

    `guest_cart` is the id that a guest must keep; `replayed` is True if the key was answered before.
    """

    cart: PricedCart
    status: int
    guest_cart: str | None
    replayed: bool = False


class CartService:
    """The shopper-facing use cases of carts."""

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

    # -- reading
    def cart_view(self, owner: CartOwner) -> PricedCart:
        """Return the owner's cart with current prices; without a cart an empty one, which is not stored."""
        cart = self._find(owner)
        return self._priced_now(cart) if cart else PricedCart()

    # -- lines
    def line_add(
        self, owner: CartOwner, *, sku: str, quantity: int, key: str | None, fingerprint: str
    ) -> AddResult:
        """Add units: 201 for a new line, 200 for an existing one.

        Raises problems 422 and, for a new SKU while the catalogue is unavailable, 503.
        """
        cart = self._find(owner)
        key = hashlib.sha256(key.encode()).hexdigest() if key else None
        if cart and key and key in cart.answers:
            return self._replay(cart, key, fingerprint)
        offers, stale = self._offers_with(cart, sku)
        if cart is None and sku not in offers:
            raise _problem(_UnknownSku())
        adding = _AddLine(offers.get(sku), quantity, key, fingerprint, self._clock())
        cart = self._write(cart, owner, adding)
        if adding.replayed:
            return self._replay(cart, str(key), fingerprint)
        return self._answer(cart, adding.answer, self._priced(cart, None if stale else offers))

    def line_set(self, owner: CartOwner, *, sku: str, quantity: int) -> PricedCart:
        return self._change(owner, lambda cart: cart.set_quantity(sku, quantity, self._clock()))

    def line_remove(self, owner: CartOwner, *, sku: str) -> PricedCart:
        return self._change(owner, lambda cart: cart.remove(sku, self._clock()))

    def line_save(self, owner: CartOwner, *, sku: str) -> PricedCart:
        return self._change(owner, lambda cart: cart.save_for_later(sku, self._clock()))

    def line_restore(self, owner: CartOwner, *, sku: str) -> PricedCart:
        return self._change(owner, lambda cart: cart.restore(sku, self._clock()))

    def cart_empty(self, owner: CartOwner) -> PricedCart:
        if self._find(owner) is None:
            return PricedCart()
        return self._change(owner, lambda cart: cart.empty(self._clock()))

    # -- coupons
    def coupon_set(self, owner: CartOwner, *, code: str) -> PricedCart:
        """Set a coupon. Raises 422 `unknown-coupon` or `coupon-ended`.

        The discount is computed each time the cart is read.
        """
        coupon = self._coupon(code.strip().upper())
        if coupon is None:
            raise Unprocessable("unknown-coupon", "There is no such coupon.")
        try:
            coupon.check(self._clock())
        except RuleViolation as violation:
            raise _problem(violation) from violation
        return self._change(owner, lambda cart: cart.set_coupon(coupon.id, self._clock()))

    def coupon_remove(self, owner: CartOwner) -> PricedCart:
        if self._find(owner) is None:
            return PricedCart()
        return self._change(owner, lambda cart: cart.set_coupon(None, self._clock()))

    # -- merging at sign-in
    def cart_merge(self, account_id: str, *, guest_cart: str) -> PricedCart:
        """Merge a guest's cart into the account's.

        Closes the guest's cart, takes its content over in one write that notes its id, then empties it;
        each step may be repeated. Raises 404 if it is not a guest's cart, or if another account took it over.
        """
        mine = account_cart_id(account_id)
        try:
            guest = self._carts.update(guest_cart, lambda cart: self._close_for_merge(cart, mine))
        except NotFound:
            return self._merged_before(account_id, guest_cart)
        cart = self._carts.update(
            mine,
            lambda cart: cart.merge(guest, self._clock()),
            create=lambda: Cart.for_account(account_id, self._clock()),
        )
        self._carts.update(guest_cart, lambda left: left.clear_merged(self._clock()))
        return self._priced_now(cart)

    def _close_for_merge(self, guest: Cart, account_cart: str) -> None:
        if not guest.close_for_merge(account_cart, self._clock()):
            raise NotFoundProblem(detail="There is no such guest cart.")

    def _merged_before(self, account_id: str, guest_cart: str) -> PricedCart:
        """Return the account's cart if it took over a guest's cart that was deleted since."""
        cart = self._find(CartOwner(account_id=account_id))
        if cart is None or guest_cart not in cart.merged_from:
            raise NotFoundProblem(detail="There is no such guest cart.")
        return self._priced_now(cart)

    # -- helpers
    def _find(self, owner: CartOwner) -> Cart | None:
        """Return the account's cart, or the guest's.

        A guest's id gives access to neither an account's cart nor a merged one.
        """
        wanted = account_cart_id(owner.account_id) if owner.account_id else owner.cart_id
        if wanted is None:
            return None
        try:
            cart = self._carts.get(wanted)
        except NotFound:
            return None
        return cart if owner.account_id or (cart.guest and cart.merged_into is None) else None

    def _offers_with(self, cart: Cart | None, sku: str) -> tuple[Mapping[str, Offer], bool]:
        """Return the offers of the cart and this SKU, and True if they are only the last seen ones."""
        known = cart.skus if cart else []
        wanted = [*known, sku] if is_valid_sku(sku) and sku not in known else known
        try:
            return (self._catalog.offers(wanted) if wanted else {}), False
        except CatalogUnavailable as unavailable:
            if cart is None or sku not in known:
                raise UnavailableProblem(
                    "catalog-away", "The catalogue does not answer just now.", retry_after=2
                ) from unavailable
            return {line.sku: line.seen for line in (*cart.saved, *cart.lines)}, True

    def _write(self, cart: Cart | None, owner: CartOwner, adding: _AddLine) -> Cart:
        if cart is not None:
            return self._carts.update(cart.id, _unless_merged(adding.apply))
        if owner.account_id is not None:
            account_id = owner.account_id
            mine = account_cart_id(account_id)
            return self._carts.update(
                mine, adding.apply, create=lambda: Cart.for_account(account_id, self._clock())
            )
        # Never under an id that the caller chose: whoever planted the id could read the cart.
        secret = self._new_secret()
        return self._carts.update(secret, adding.apply, create=lambda: Cart.for_guest(secret, self._clock()))

    def _change(self, owner: CartOwner, change: Callable[[Cart], None]) -> PricedCart:
        cart = self._find(owner)
        if cart is None:
            raise NotFoundProblem(detail="There is no such cart.")
        try:
            return self._priced_now(self._carts.update(cart.id, _unless_merged(change)))
        except LineNotFound as missing:
            raise NotFoundProblem(detail="The cart does not hold this SKU there.") from missing
        except RuleViolation as violation:
            raise _problem(violation) from violation

    def _replay(self, cart: Cart, key: str, fingerprint: str) -> AddResult:
        answer = cart.answers[key]
        if answer.fingerprint != fingerprint:
            raise Unprocessable("idempotency-key-reused", "This Idempotency-Key was used for another body.")
        return self._answer(cart, answer, self._priced_now(cart), replayed=True)

    def _answer(
        self, cart: Cart, answer: StoredResponse, priced: PricedCart, *, replayed: bool = False
    ) -> AddResult:
        if answer.type:
            headers = {"Idempotent-Replay": "true"} if replayed else {}
            raise Unprocessable(answer.type, answer.detail, headers=headers)
        return AddResult(priced, answer.status, cart.id if cart.guest else None, replayed)

    def _priced_now(self, cart: Cart) -> PricedCart:
        return self._priced(cart, self._offers_now(cart))

    def _priced(self, cart: Cart, offers: Mapping[str, Offer] | None) -> PricedCart:
        if offers is not None:
            self._save_offers(cart, offers)
        return price_cart(cart, offers, self._coupon(cart.coupon) if cart.coupon else None, self._clock())

    def _offers_now(self, cart: Cart) -> Mapping[str, Offer] | None:
        try:
            return self._catalog.offers(cart.skus) if cart.skus else {}
        except CatalogUnavailable:
            return None

    def _save_offers(self, cart: Cart, offers: Mapping[str, Offer]) -> None:
        """Store changed offers for times when the catalogue is unavailable; failures are ignored."""
        if not cart.refresh_offers(offers):
            return
        try:
            self._carts.update(cart.id, lambda found: _refresh_offers(found, offers))
        except (Busy, NotFound, Unavailable):
            return

    def _coupon(self, code: str) -> Coupon | None:
        try:
            return self._coupons.get(code)
        except NotFound:
            return None


class _AddLine:
    """A request to add a line, which may be applied several times; its refusal is stored as well."""

    def __init__(
        self, offer: Offer | None, quantity: int, key: str | None, fingerprint: str, at: datetime
    ) -> None:
        self.offer, self.quantity, self.key, self.fingerprint, self.at = offer, quantity, key, fingerprint, at
        self.answer = StoredResponse(fingerprint, 200)
        self.replayed = False

    def apply(self, cart: Cart) -> None:
        self.replayed = self.key is not None and self.key in cart.answers
        if self.replayed:  # a concurrent request was faster
            return
        self.answer = self._try(cart)
        if self.key:
            cart.store_response(self.key, self.answer)

    def _try(self, cart: Cart) -> StoredResponse:
        try:
            if self.offer is None:
                raise _UnknownSku
            status = 201 if cart.add(self.offer, self.quantity, self.at) else 200
        except RuleViolation as violation:
            return StoredResponse(self.fingerprint, 422, violation.type, violation.detail)
        return StoredResponse(self.fingerprint, status)


def _unless_merged(change: Callable[[Cart], None]) -> Callable[[Cart], None]:
    """Wrap a change so that it refuses a guest's cart that was merged, where it would be lost."""

    def guarded(cart: Cart) -> None:
        if cart.merged_into is not None:
            raise NotFoundProblem(detail="This cart was merged into an account's.")
        change(cart)

    return guarded


def _refresh_offers(cart: Cart, offers: Mapping[str, Offer]) -> None:
    cart.refresh_offers(offers)


def _problem(violation: RuleViolation) -> Unprocessable:
    return Unprocessable(violation.type, violation.detail)
