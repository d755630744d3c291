"""The admin of cart_svc: carts to look at, coupons to change and switch off."""

from __future__ import annotations

from django.db import models

from cart import repositories
from cart.domain import Money, Refused
from cart.wiring import parts
from chassis.admin import Card, Column, DocumentAdmin, Table, document_model, money, register, site


def _value(cart):
    return str(Money(sum(line.seen.price.amount * line.quantity for line in cart.lines)))


CartModel = document_model(
    repositories.CARTS,
    lambda: parts().carts,
    app_label="cart",
    verbose_name="cart",
    verbose_name_plural="carts",
    fields={
        "units": Column(models.IntegerField(), get=lambda cart: cart.count),
        "value": Column(models.CharField(max_length=40, verbose_name="value, as last seen"), get=_value),
        "merged": Column(models.BooleanField(), get=lambda cart: cart.merged_into is not None),
    },
    ordering=["-updated_at"],
)
CouponModel = document_model(
    repositories.COUPONS,
    lambda: parts().coupons,
    app_label="cart",
    verbose_name="coupon",
    verbose_name_plural="coupons",
    fields={
        "code": Column(models.CharField(max_length=40), get=lambda coupon: coupon.id),
        "amount_off": money("EUR"),
        "minimum": money("EUR"),
    },
    ordering=["id"],
)


@register(CartModel)
class CartAdmin(DocumentAdmin):
    noun = "cart"
    has_add = has_change = has_delete = False  # a cart is its shopper's
    list_display = ["id", "account_id", "guest", "units", "value", "coupon", "merged", "updated_at"]
    list_filter = ["guest", "updated_at"]
    search_fields = ["id", "account_id"]
    fields = [
        "account_id", "guest", "units", "value", "coupon", "lines", "saved", "merged_into",
        "created_at", "updated_at",
    ]  # fmt: skip


@register(CouponModel)
class CouponAdmin(DocumentAdmin):
    noun = "coupon"
    has_add = False  # until checkout takes a coupon off an order's total, none is given out
    has_delete = False  # switched off instead: carts and orders may name it
    refusals = (Refused,)
    list_display = ["code", "title", "percent", "amount_off", "minimum", "active", "starts_at", "ends_at"]
    list_filter = ["active"]
    search_fields = ["code", "title"]
    fields = ["code", "title", "percent", "amount_off", "minimum", "active", "starts_at", "ends_at"]

    def change(self, request, entity, values):
        super().change(request, entity, values)
        entity.validate()


@site.dashboard
def dashboard(request):
    carts = parts().carts
    latest = carts.find("by_time", descending=True, limit=10)
    return [
        Card("Guests' carts", carts.count({"guest": True}, index="by_owner")),
        Card("Accounts' carts", carts.count({"guest": False}, index="by_owner")),
        Card("Coupons in use", parts().coupons.count({"active": True}, index="by_active")),
        Table(
            "Last touched",
            ["cart", "whose", "units", "value", "at"],
            [
                [cart.id[:8] + "…", "guest" if cart.guest else cart.account_id, cart.count, _value(cart),
                 f"{cart.updated_at:%Y-%m-%d %H:%M}"]
                for cart in latest
            ],
        ),
    ]  # fmt: skip
