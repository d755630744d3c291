"""Admin pages of checkout_svc: orders, stuck orders and dead letters.

Every change goes through the use cases.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import models

from chassis import clock
from chassis.admin import (
    Card,
    Chart,
    Column,
    DocumentAdmin,
    Table,
    document_model,
    mail_card,
    parts_table,
    register,
    site,
)
from chassis.couch import CouchError, couch_repository
from chassis.ids import new_id
from chassis.messaging import Rejected, SubscriberUnavailable, dead_letters

from . import repositories
from .container import RELAY, dependencies
from .domain import (
    FulfilmentStatus,
    Money,
    NotAllowed,
    PaymentStatus,
    ProviderDown,
    RefundRefused,
    RefundRequest,
    Shipment,
)
from .services import DependencyUnavailable, RuleViolation, Viewer

_EXPECTED_ERRORS = (NotAllowed, RuleViolation, DependencyUnavailable, ProviderDown, RefundRefused, CouchError)


def _choice_column(choices: Any, get: Callable[[Any], str]) -> Column:
    return Column(
        models.CharField(max_length=40, choices=[(one.value, one.value) for one in choices]), get=get
    )


OrderModel = document_model(
    repositories.ORDERS,
    lambda: dependencies().orders,
    app_label="checkout",
    verbose_name="order",
    verbose_name_plural="orders",
    fields={
        "total": Column(
            models.CharField(max_length=40),
            get=lambda order: f"{order.totals.total.amount / 100:.2f} {order.totals.total.currency}",
        ),
        "payment_status": _choice_column(PaymentStatus, lambda order: order.payment.status.value),
        "fulfilment": _choice_column(FulfilmentStatus, lambda order: order.fulfilment.value),
        "waits_for": Column(models.CharField(max_length=40), get=lambda order: order.next_step or ""),
    },
    ordering=["-placed_at"],
)
LetterModel = document_model(
    dead_letters("orders"),
    lambda: couch_repository(dead_letters("orders")),
    app_label="checkout",
    verbose_name="dead letter",
    verbose_name_plural="dead letters",
    ordering=["-parked_at"],
)


class UseCaseAdmin(DocumentAdmin):
    """Admin whose changes are actions that call use cases; add, change and delete are off."""

    noun = "order"
    has_add = has_change = has_delete = False

    def apply_to_each(self, request: Any, queryset: Any, done: str, act: Callable[[Any], object]) -> None:
        """Apply ``act`` to each selected row; an error of one row does not stop the others."""
        good = 0
        for row in queryset:
            try:
                act(row)
                good += 1
            except (*_EXPECTED_ERRORS, Rejected, SubscriberUnavailable) as error:
                self.message_user(request, f"{row.pk}: {error}", messages.ERROR)
        if good:
            self.message_user(request, f"{good} {done}.")


@register(OrderModel)
class OrderAdmin(UseCaseAdmin):
    list_display = ["id", "placed_at", "email", "total", "status", "payment_status", "fulfilment", "stuck"]
    list_filter = ["status", "stuck", "placed_at"]
    search_fields = ["id", "email"]
    search_help_text = "order number or e-mail, whole"
    actions = ["cancel", "ship", "deliver", "refund", "retry"]
    fieldsets = [
        (None, {"fields": ["id", "placed_at", "status", "email", "account_id"]}),
        ("Sold", {"fields": ["lines", "totals", "shipping_method", "shipping_address", "billing_address"]}),
        ("Payment", {"fields": ["payment_status", "payment", "refunds"]}),
        ("Parcels", {"fields": ["fulfilment", "line_by_line", "shipments", "delivered_at"]}),
        ("Timeline", {"fields": ["timeline", "mailed_at"]}),
        (
            "Saga",
            {
                "fields": [
                    "waits_for",
                    "committed",
                    "settled",
                    "undoing",
                    "stuck",
                    "tries",
                    "trouble",
                    "wake_at",
                ]
            },
        ),
    ]

    @admin.display(description="Line by line")
    def line_by_line(self, row: Any) -> str:
        """Show per line what was ordered, sent and refunded, refunds under way included."""
        order = row.entity
        sent, unsent, currency = order.sent, order.unsent, order.totals.total.currency
        shown = [
            {
                "sku": line.sku,
                "ordered": line.quantity,
                "sent": sent.get(line.sku, 0),
                "to_send": unsent.get(line.sku, 0),
                "units_refunded": line.refunded_quantity,
                "paid": Money(line.paid, currency),
                "refunded": Money(line.refunded, currency),
            }
            for line in order.balance.lines
        ]
        shipping = order.totals.shipping
        back = shipping - Money(order.balance.shipping, currency)
        return parts_table([*shown, {"sku": "shipping", "paid": shipping, "refunded": back}])

    def search(self, request: Any, term: str) -> list[str] | None:
        term = term.strip()
        found = dependencies().orders.find("email", {"email": term.lower()}, descending=True, limit=200).items
        return [term.upper(), *(order.id for order in found)]

    @admin.action(description="Cancel and refund", permissions=["write"])
    def cancel(self, request, queryset):
        viewer = Viewer(account_id=request.user.id, may_read=True, may_write=True)
        self.apply_to_each(
            request,
            queryset,
            "cancelled",
            lambda row: dependencies().order_service.cancel(row.pk, viewer, reason="by staff"),
        )

    @admin.action(description="Mark all that is left as sent", permissions=["write"])
    def ship(self, request, queryset):
        def send(row: Any) -> None:
            parcel = Shipment(new_id(), clock.now(), carrier="by hand", tracking="", lines={})
            dependencies().order_service.ship(row.pk, parcel, actor=request.user.id)

        self.apply_to_each(request, queryset, "marked as sent", send)

    @admin.action(description="Mark as delivered", permissions=["write"])
    def deliver(self, request, queryset):
        self.apply_to_each(
            request,
            queryset,
            "marked as delivered",
            lambda row: dependencies().order_service.deliver(row.pk, actor=request.user.id),
        )

    @admin.action(description="Refund all that is left", permissions=["refund"])
    def refund(self, request, queryset):
        def back(row: Any) -> None:
            refund = RefundRequest(new_id(), clock.now(), reason="by staff")
            dependencies().order_service.refund(row.pk, refund, actor=request.user.id)

        self.apply_to_each(request, queryset, "refunded", back)

    def has_refund_permission(self, request: Any) -> bool:
        return request.user.has_perm("checkout.refund.write")

    @admin.action(description="Try again now", permissions=["write"])
    def retry(self, request, queryset):
        self.apply_to_each(
            request,
            queryset,
            "on the way again",
            lambda row: dependencies().order_service.retry(row.pk, actor=request.user.id),
        )


@register(LetterModel)
class LetterAdmin(UseCaseAdmin):
    list_display = ["id", "subscriber", "reason", "status", "parked_at", "sent_at"]
    list_filter = ["status"]
    actions = ["resend"]

    @admin.action(description="Send again", permissions=["write"])
    def resend(self, request, queryset):
        self.apply_to_each(request, queryset, "sent", lambda row: RELAY.dead_letters.resend(row.pk))


def _payments_card() -> Card:
    if dependencies().sandbox:
        return Card("Payments", "Demo", note="test cards pay; no money moves", tone="warn")
    if not dependencies().payments.methods:
        note = "no provider is configured: orders are refused as payment-not-configured"
        return Card("Payments", "None", note=note, tone="bad")
    return Card("Payments", ", ".join(dependencies().payments.methods), tone="ok")


@site.dashboard
def dashboard(request):
    """Return the cards of the overview: today's sales, payments, stuck orders, dead letters."""
    now, orders = clock.now(), dependencies().orders
    days = [(now - timedelta(days=back)).date().isoformat() for back in range(13, -1, -1)]
    sales = {row.key: row.value for row in orders.rows("sales", start=days[0], end=days[-1], group=True)}
    today = sales.get(days[-1], {"sum": 0, "count": 0})
    stuck = orders.find("stuck", {"stuck": True}, limit=20).items
    letters = couch_repository(dead_letters("orders")).count({"status": "parked"}, index="status")
    pending = orders.count({"status": "pending"}, index="status")
    url = "/admin/checkout/checkout"
    return [
        Card("Sales today", f"{today['sum'] / 100:.2f} EUR", note=f"{today['count']} orders"),
        _payments_card(),
        mail_card(),
        Card("Waiting for payment", pending, url=f"{url}/order/?status__exact=pending"),
        Card("Stuck", len(stuck), tone="bad" if stuck else "ok", url=f"{url}/order/?stuck__exact=1"),
        Card(
            "Dead letters",
            letters,
            tone="bad" if letters else "ok",
            url=f"{url}/deadletter/?status__exact=parked",
        ),
        Chart("Orders a day", [(day[5:], sales.get(day, {"count": 0})["count"]) for day in days]),
        Table(
            "Stuck orders",
            ["number", "waits for", "tries", "trouble"],
            [[order.id, order.next_step or "", order.tries, order.trouble] for order in stuck],
        ),
    ]
