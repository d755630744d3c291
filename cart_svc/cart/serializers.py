"""Serializers of requests, and schemas of responses, of cart_svc's API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cart.domain import MAX_LINES, MAX_QUANTITY, Cart, PricedCart
from chassis.api import serializers


class QuantityIn(serializers.Strict):
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)


class LineIn(QuantityIn):
    sku = serializers.CharField(max_length=64)


class CouponIn(serializers.Strict):
    code = serializers.CharField(max_length=40)


class MergeIn(serializers.Strict):
    cart_id = serializers.CharField(max_length=64)


class ClaimIn(serializers.Strict):
    order_id = serializers.CharField(max_length=128)
    version = serializers.IntegerField(min_value=0)


class UnclaimIn(serializers.Strict):
    order_id = serializers.CharField(max_length=128)


class OrderedIn(serializers.Strict):
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1)


class SettleIn(serializers.Strict):
    order_id = serializers.CharField(max_length=128)
    lines = OrderedIn(many=True, max_length=MAX_LINES)


class CartLineOut(serializers.Serializer):
    sku = serializers.CharField()
    product_id = serializers.CharField()
    title = serializers.CharField()
    slug = serializers.CharField()
    image = serializers.JSONField(allow_null=True, help_text="As on the product's card.")
    attributes = serializers.DictField(child=serializers.JSONField())
    unit_price = serializers.Money()
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)
    line_total = serializers.Money()
    availability = serializers.ChoiceField(["in_stock", "low", "out"])
    notice = serializers.CharField(allow_null=True, help_text="A message to the shopper about this line.")


class CartOut(serializers.Serializer):
    """The schema of `cart_body`, for the OpenAPI document only."""

    id = serializers.CharField(allow_null=True, help_text="Null when there is no cart.")
    lines = CartLineOut(many=True)
    saved = CartLineOut(many=True)
    coupon = serializers.CharField(allow_null=True)
    subtotal = serializers.Money()
    discount = serializers.Money()
    total = serializers.Money()
    count = serializers.IntegerField(help_text="Units in `lines`.")


class ClaimedLineOut(serializers.Serializer):
    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class InternalCartOut(serializers.Serializer):
    """The schema of `internal_body`, for the OpenAPI document only."""

    id = serializers.CharField()
    version = serializers.IntegerField()
    account_id = serializers.CharField(allow_null=True)
    lines = ClaimedLineOut(many=True)
    coupon = serializers.CharField(allow_null=True)
    claimed_by = serializers.CharField(allow_null=True, help_text="The order that holds this very version.")


def cart_body(cart: PricedCart) -> dict[str, Any]:
    return asdict(cart)


def internal_body(cart: Cart) -> dict[str, Any]:
    holders = [order for order, version in cart.claims.items() if version == cart.version]
    return {
        "id": cart.id,
        "version": cart.version,
        "account_id": cart.account_id,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in cart.lines],
        "coupon": cart.coupon,
        "claimed_by": holders[0] if holders else None,
    }
