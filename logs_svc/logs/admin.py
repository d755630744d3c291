"""The admin of logs_svc: what happened, who changed what, and what it adds up to. Nothing is edited."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.db import models

from chassis.admin import Card, Chart, Column, DocumentAdmin, Table, choice, document_model, register, site
from chassis.clock import now
from logs import repositories
from logs.domain import TYPES
from logs.services import Days
from logs.wiring import parts

_SHOWN_DAYS = 14
_SHOWN_ROWS = 10
_STEPS = {"view": "Looked", "add_to_cart": "Added", "checkout_started": "To checkout", "purchase": "Bought"}


def _told(event):
    return ", ".join(f"{key}: {value}" for key, value in event.data.items())[:200]


EventModel = document_model(
    repositories.EVENTS,
    lambda: parts().events,
    app_label="logs",
    verbose_name="event",
    verbose_name_plural="events",
    fields={
        "type": choice(list(TYPES)),
        "told": Column(models.CharField(max_length=200, verbose_name="data"), get=_told),
    },
    ordering=["-at"],
)
EntryModel = document_model(
    repositories.AUDIT,
    lambda: parts().audit,
    app_label="logs",
    verbose_name="audit entry",
    verbose_name_plural="audit trail",
    ordering=["-at"],
)


class ReadOnly(DocumentAdmin):
    has_add = has_change = has_delete = False


@register(EventModel)
class EventAdmin(ReadOnly):
    noun = "event"
    list_display = ["at", "type", "product_id", "quantity", "user", "session", "told"]
    list_filter = ["type", "at"]
    search_fields = ["product_id", "user", "session", "query"]
    fields = ["at", "type", "product_id", "quantity", "user", "session", "query", "told", "arrived"]


@register(EntryModel)
class EntryAdmin(ReadOnly):
    noun = "audit"
    list_display = ["at", "actor_name", "action", "service", "object_type", "object_repr", "message"]
    list_filter = [
        ("service", admin.AllValuesFieldListFilter), ("action", admin.AllValuesFieldListFilter), "at",
    ]  # fmt: skip
    search_fields = ["actor", "actor_name", "object_id", "object_repr"]


@site.dashboard
def dashboard(request):
    if not request.user.has_perm("logs.event.read"):
        return []
    today = now().date()
    days = Days(today - timedelta(days=_SHOWN_DAYS - 1), today)
    stats = parts().stats
    series = stats.timeseries(days)
    seen = series[-1][1]
    funnel = [(_STEPS[step], visitors) for step, visitors, _ in stats.funnel(days)]
    period = f"the last {_SHOWN_DAYS} days"
    return [
        Card("Events today", sum(seen.values())),
        Card("Views today", seen.get("view", 0)),
        Card("Purchases today", seen.get("purchase", 0)),
        Chart("Events a day", [(day[5:], sum(counts.values())) for day, counts in series], note=period),
        Chart("From looking to buying", funnel, unit="visitors", note=period),
        Table(
            "Top searches", ["searched for", "times"], stats.searches(days, limit=_SHOWN_ROWS), note=period
        ),
        Table(
            "Most looked at",
            ["product", "views"],
            stats.top_products(days, type="view", limit=_SHOWN_ROWS),
            note=period,
        ),
        Table(
            "Most bought",
            ["product", "units"],
            stats.top_products(days, type="purchase", limit=_SHOWN_ROWS),
            note=period,
        ),
    ]
