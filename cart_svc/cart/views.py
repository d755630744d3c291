"""Views of the cart, for shoppers and for checkout."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cart.container import dependencies
from cart.domain import PricedCart
from cart.serializers import (
    CartOut,
    ClaimIn,
    CouponIn,
    InternalCartOut,
    LineIn,
    MergeIn,
    QuantityIn,
    SettleIn,
    UnclaimIn,
    cart_body,
    internal_body,
)
from cart.services import AddResult, CartOwner
from chassis.api.idempotency import fingerprint, idempotency_key
from chassis.api.views import View
from chassis.identity import FromService, Public, SignedIn

_CART_ID = re.compile(r"[0-9a-f]{32}\Z")

CART_ID = OpenApiParameter(
    "X-Cart-Id",
    str,
    OpenApiParameter.HEADER,
    description="A guest's cart; with a token the account's is meant.",
)
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="1-255 visible characters."
)
SKU = OpenApiParameter("sku", str, OpenApiParameter.PATH)


def cart_owner(request: Request) -> CartOwner:
    """Return the owner of the cart; a malformed cart id is ignored, since cookies outlive carts."""
    if request.user.account_id:
        return CartOwner(account_id=request.user.account_id)
    given = request.headers.get("X-Cart-Id", "")
    return CartOwner(cart_id=given if _CART_ID.match(given) else None)


def answer(cart: PricedCart, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(cart_body(cart), status=status, headers={"Cache-Control": "no-store", **(headers or {})})


def _added(added: AddResult) -> Response:
    headers = {"X-Cart-Id": added.guest_cart} if added.guest_cart else {}
    if added.replayed:
        headers["Idempotent-Replay"] = "true"
    return answer(added.cart, added.status, headers)


class CartView(View):
    permission_classes = [Public]

    @extend_schema(operation_id="cart_get", parameters=[CART_ID], responses=CartOut)
    def get(self, request: Request) -> Response:
        """Return the cart with current prices; empty if there is none. Nothing is created."""
        return answer(dependencies().cart_service.cart_view(cart_owner(request)))

    @extend_schema(operation_id="cart_empty", parameters=[CART_ID], responses={200: CartOut})
    def delete(self, request: Request) -> Response:
        """Remove all lines; saved lines stay."""
        return answer(dependencies().cart_service.cart_empty(cart_owner(request)))


class LinesView(View):
    permission_classes = [Public]

    @extend_schema(
        operation_id="line_add",
        parameters=[CART_ID, IDEMPOTENCY],
        request=LineIn,
        responses={200: CartOut, 201: CartOut},
    )
    def post(self, request: Request) -> Response:
        """Add units: 201 for a new line, 200 for an existing one.

        A guest's first response has the cart's id.
        """
        body = LineIn.of(request)
        key = idempotency_key(request)
        cart_service = dependencies().cart_service
        return _added(
            cart_service.line_add(cart_owner(request), **body, key=key, fingerprint=fingerprint(body))
        )


class LineView(View):
    permission_classes = [Public]

    @extend_schema(operation_id="line_set", parameters=[CART_ID, SKU], request=QuantityIn, responses=CartOut)
    def patch(self, request: Request, sku: str) -> Response:
        """Set the quantity, 1 to 99."""
        body = QuantityIn.of(request)
        return answer(dependencies().cart_service.line_set(cart_owner(request), sku=sku, **body))

    @extend_schema(operation_id="line_remove", parameters=[CART_ID, SKU], responses={200: CartOut})
    def delete(self, request: Request, sku: str) -> Response:
        """Remove a line."""
        return answer(dependencies().cart_service.line_remove(cart_owner(request), sku=sku))


class SaveView(View):
    permission_classes = [Public]

    @extend_schema(operation_id="line_save", parameters=[CART_ID, SKU], request=None, responses=CartOut)
    def post(self, request: Request, sku: str) -> Response:
        """Save a line for later."""
        return answer(dependencies().cart_service.line_save(cart_owner(request), sku=sku))


class RestoreView(View):
    permission_classes = [Public]

    @extend_schema(operation_id="line_restore", parameters=[CART_ID, SKU], request=None, responses=CartOut)
    def post(self, request: Request, sku: str) -> Response:
        """Move a saved line back into the cart."""
        return answer(dependencies().cart_service.line_restore(cart_owner(request), sku=sku))


class CouponView(View):
    permission_classes = [Public]

    @extend_schema(operation_id="coupon_set", parameters=[CART_ID], request=CouponIn, responses=CartOut)
    def post(self, request: Request) -> Response:
        """Set a coupon; 422 `unknown-coupon` or `coupon-ended`."""
        return answer(dependencies().cart_service.coupon_set(cart_owner(request), **CouponIn.of(request)))

    @extend_schema(operation_id="coupon_remove", parameters=[CART_ID], responses={200: CartOut})
    def delete(self, request: Request) -> Response:
        """Remove the coupon."""
        return answer(dependencies().cart_service.coupon_remove(cart_owner(request)))


class MergeView(View):
    permission_classes = [SignedIn]

    @extend_schema(operation_id="cart_merge", request=MergeIn, responses=CartOut)
    def post(self, request: Request) -> Response:
        """Merge a guest's cart into the account's; a repeated request changes nothing."""
        body = MergeIn.of(request)
        return answer(
            dependencies().cart_service.cart_merge(request.user.account_id, guest_cart=body["cart_id"])
        )


class InternalCartView(View):
    permission_classes = [FromService("checkout")]

    @extend_schema(operation_id="internal_cart_get", responses=InternalCartOut)
    def get(self, request: Request, cart_id: str) -> Response:
        """Return the stored cart."""
        return Response(internal_body(dependencies().checkout_cart_service.cart_get(cart_id)))


class ClaimView(View):
    permission_classes = [FromService("checkout")]

    @extend_schema(operation_id="internal_cart_claim", request=ClaimIn, responses=InternalCartOut)
    def post(self, request: Request, cart_id: str) -> Response:
        """Claim a version: 409 `cart-claimed` if another live order holds it, `cart-changed` if it is old."""
        return Response(
            internal_body(dependencies().checkout_cart_service.cart_claim(cart_id, **ClaimIn.of(request)))
        )


class UnclaimView(View):
    permission_classes = [FromService("checkout")]

    @extend_schema(operation_id="internal_cart_unclaim", request=UnclaimIn, responses=InternalCartOut)
    def post(self, request: Request, cart_id: str) -> Response:
        """Release the claim of an order."""
        return Response(
            internal_body(dependencies().checkout_cart_service.cart_unclaim(cart_id, **UnclaimIn.of(request)))
        )


class SettleView(View):
    permission_classes = [FromService("checkout")]

    @extend_schema(operation_id="internal_cart_settle", request=SettleIn, responses=InternalCartOut)
    def post(self, request: Request, cart_id: str) -> Response:
        """Remove the ordered lines, once per order."""
        body: dict[str, Any] = SettleIn.of(request)
        return Response(
            internal_body(dependencies().checkout_cart_service.cart_remove_ordered(cart_id, **body)[0])
        )
