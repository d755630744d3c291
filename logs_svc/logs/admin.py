"""The read-only admin of events and the audit trail."""

from __future__ import annotations

from django.contrib import admin
from django.db import models

from chassis.admin import Column, DocumentAdmin, choice, document_model, register
from logs import dashboard, live, repositories  # noqa: F401 - the first two show themselves
from logs.container import dependencies
from logs.domain import TYPES


def _format_data(event):
    return ", ".join(f"{key}: {value}" for key, value in event.data.items())[:200]


EventModel = document_model(
    repositories.EVENTS,
    lambda: dependencies().events,
    app_label="logs",
    verbose_name="event",
    verbose_name_plural="events",
    fields={
        "type": choice(list(TYPES)),
        "details": Column(models.CharField(max_length=200, verbose_name="data"), get=_format_data),
    },
    ordering=["-at"],
)
EntryModel = document_model(
    repositories.AUDIT,
    lambda: dependencies().audit_entries,
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
    list_display = ["at", "type", "product_id", "quantity", "user", "session", "details"]
    list_filter = ["type", "at"]
    search_fields = ["product_id", "user", "session", "query"]
    fields = ["at", "type", "product_id", "quantity", "user", "session", "query", "details", "batch"]


@register(EntryModel)
class EntryAdmin(ReadOnly):
    noun = "audit"
    list_display = ["at", "actor_name", "action", "service", "object_type", "object_repr", "message"]
    list_filter = [
        ("service", admin.AllValuesFieldListFilter), ("action", admin.AllValuesFieldListFilter), "at",
    ]  # fmt: skip
    search_fields = ["actor", "actor_name", "object_id", "object_repr"]
