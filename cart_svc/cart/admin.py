"""Admin pages of cart_svc: carts to read, coupons to change and switch off."""

from __future__ import annotations

from django.db import models

from cart import repositories
from cart.container import dependencies
from cart.domain import Money, RuleViolation
from chassis.admin import Card, Column, DocumentAdmin, Table, document_model, money, register, site


def _value(cart):
    return str(Money(sum(line.seen.price.amount * line.quantity for line in cart.lines)))


CartModel = document_model(
    repositories.CARTS,
    lambda: dependencies().carts,
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
    lambda: dependencies().coupons,
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
    """Carts, read-only."""

    noun = "cart"
    has_add = has_change = has_delete = False  # only its shopper changes a cart
    list_display = ["id", "account_id", "guest", "units", "value", "coupon", "merged", "updated_at"]
    list_filter = ["guest", "updated_at"]
    search_fields = ["id", "account_id"]
    fields = [
        "account_id", "guest", "units", "value", "coupon", "lines", "saved", "merged_into",
        "created_at", "updated_at",
    ]  # fmt: skip


@register(CouponModel)
class CouponAdmin(DocumentAdmin):
    """Coupons; they can be changed and switched off, not added or deleted."""

    noun = "coupon"
    has_add = False  # until checkout applies coupons to orders, none is created
    has_delete = False  # switched off instead: carts and orders may refer to it
    refusals = (RuleViolation,)
    list_display = ["code", "title", "percent", "amount_off", "minimum", "active", "starts_at", "ends_at"]
    list_filter = ["active"]
    search_fields = ["code", "title"]
    fields = ["code", "title", "percent", "amount_off", "minimum", "active", "starts_at", "ends_at"]

    def change(self, request, entity, values):
        super().change(request, entity, values)
        entity.validate()


@site.dashboard
def dashboard(request):
    """Return the cards of the overview: counts, and the carts that changed last."""
    carts = dependencies().carts
    latest = carts.find("by_time", descending=True, limit=10)
    return [
        Card("Guests' carts", carts.count({"guest": True}, index="by_owner")),
        Card("Accounts' carts", carts.count({"guest": False}, index="by_owner")),
        Card("Coupons in use", dependencies().coupons.count({"active": True}, index="by_active")),
        Table(
            "Last changed",
            ["cart", "owner", "units", "value", "at"],
            [
                [cart.id[:8] + "…", "guest" if cart.guest else cart.account_id, cart.count, _value(cart),
                 f"{cart.updated_at:%Y-%m-%d %H:%M}"]
                for cart in latest
            ],
        ),
    ]  # fmt: skip
