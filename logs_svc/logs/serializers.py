"""Serializers of the API of logs_svc."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field

from chassis.api import serializers
from logs.domain import FUNNEL, REPORTED, TYPES, AuditEntry, Event
from logs.services import Days, EventFilter, IntakeResult
from logs.services.stats import DayFigures

_MAX_DAYS = 366
_DEFAULT_DAYS = 30


class ReportedEventIn(serializers.Serializer):
    """The schema of a reported event, for the documentation only.

    An invalid event is rejected by itself; the others are accepted.
    """

    id = serializers.CharField(
        required=False, max_length=64, help_text="Identifies the event when it is sent again."
    )
    type = serializers.ChoiceField(list(REPORTED))
    product_id = serializers.CharField(required=False, max_length=64)
    session_id = serializers.CharField(required=False, max_length=64)
    at = serializers.DateTimeField(required=False, help_text="Clamped to the last 7 days.")
    data = serializers.DictField(
        required=False,
        help_text="2 KB at most; a search has its text in `q` and the number of its `results`. What each"
        " type allows is in docs/behaviour.md; other names are refused.",
    )


class RejectedOut(serializers.Serializer):
    index = serializers.IntegerField()
    reason = serializers.CharField()


class IntakeOut(serializers.Serializer):
    accepted = serializers.IntegerField()
    rejected = RejectedOut(many=True)


@extend_schema_field({"type": "string", "format": "date-time"})
class TimeOrDay(serializers.Field):
    """An RFC 3339 time or a day: its start, or its end with `whole_day`."""

    def __init__(self, *, whole_day: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.whole_day = whole_day

    def to_internal_value(self, data: Any) -> datetime:
        text = str(data)[:40]
        try:
            if len(text) == 10:
                day = datetime.combine(date.fromisoformat(text), time(), UTC)
                return day + timedelta(days=1) if self.whole_day else day
            # A + of an address is a space: "12:00:00+01:00" that was not quoted.
            found = datetime.fromisoformat(text.replace(" ", "+"))
        except (ValueError, OverflowError) as error:
            raise serializers.ValidationError("Must be an RFC 3339 time, or a day.") from error
        if found.tzinfo is None:
            raise serializers.ValidationError("Must have a time zone.")
        return found


class PageQuery(serializers.Query):
    """The paging parameters, which `page_params` reads; declared here so that they are documented."""

    limit = serializers.IntegerField(required=False, min_value=1, max_value=100)
    cursor = serializers.CharField(required=False, max_length=1024)


class EventsQuery(PageQuery):
    type = serializers.ChoiceField(list(TYPES), required=False)
    user = serializers.CharField(required=False, max_length=128)
    product = serializers.CharField(required=False, max_length=128)
    vars()["from"] = TimeOrDay(required=False)
    to = TimeOrDay(required=False, whole_day=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = EventFilter(
            type=attrs.get("type"),
            user=attrs.get("user"),
            product=attrs.get("product"),
            start=attrs.get("from"),
            end=attrs.get("to"),
        )
        return {**attrs, "wanted": wanted}


class AuditQuery(PageQuery):
    actor = serializers.CharField(required=False, max_length=128)
    object = serializers.CharField(required=False, max_length=200)


class DaysQuery(serializers.Query):
    """The days `from` and `to`, both included; the last 30 days by default."""

    vars()["from"] = serializers.DateField(required=False)
    to = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        last = attrs.get("to") or datetime.now(UTC).date()
        first = attrs.get("from") or last - timedelta(days=_DEFAULT_DAYS - 1)
        if not 0 <= (last - first).days < _MAX_DAYS:
            raise serializers.ValidationError({"from": [f"Must be at most {_MAX_DAYS} days before `to`."]})
        return {**attrs, "days": Days(first, last)}


class TopQuery(DaysQuery):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=100, default=24)


class SearchesQuery(TopQuery):
    without_results = serializers.ChoiceField(
        ["true"], required=False, help_text="Only those without results."
    )


class TopProductsQuery(TopQuery):
    type = serializers.ChoiceField(list(TYPES), required=False, default="view")


class EventOut(serializers.Serializer):
    id = serializers.CharField()
    type = serializers.ChoiceField(list(TYPES))
    user = serializers.CharField(allow_null=True)
    session = serializers.CharField(allow_null=True)
    product_id = serializers.CharField(allow_null=True)
    quantity = serializers.IntegerField()
    at = serializers.DateTimeField()
    data = serializers.DictField()


class HistoryOut(serializers.Serializer):
    results = EventOut(many=True)
    next = serializers.CharField(allow_null=True)
    checkpoint = serializers.CharField(allow_null=True)


class EventPageOut(serializers.Serializer):
    results = EventOut(many=True)
    next = serializers.CharField(allow_null=True)


class AuditOut(serializers.Serializer):
    id = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    actor_name = serializers.CharField(allow_blank=True)
    action = serializers.CharField()
    service = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    object_repr = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)


class AuditPageOut(serializers.Serializer):
    results = AuditOut(many=True)
    next = serializers.CharField(allow_null=True)


class MoneyOut(serializers.Serializer):
    amount = serializers.IntegerField()
    currency = serializers.CharField()


class DayOut(serializers.Serializer):
    day = serializers.DateField()
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By type of event.")
    orders = serializers.IntegerField()
    units = serializers.IntegerField()
    revenue = MoneyOut(many=True, help_text="Ordered amounts by currency; refunds are not deducted.")
    bots = serializers.IntegerField(help_text="Events of bots, which are in no other figure.")


class TimeseriesOut(serializers.Serializer):
    results = DayOut(many=True)


class StepOut(serializers.Serializer):
    step = serializers.ChoiceField(list(FUNNEL))
    visitors = serializers.IntegerField(help_text="Sessions, else accounts.")
    events = serializers.IntegerField()


class FunnelOut(serializers.Serializer):
    results = StepOut(many=True)


class ProductCountOut(serializers.Serializer):
    product_id = serializers.CharField()
    count = serializers.IntegerField(help_text="Events; units for purchases.")


class TopProductsOut(serializers.Serializer):
    results = ProductCountOut(many=True)


class QueryCountOut(serializers.Serializer):
    query = serializers.CharField()
    count = serializers.IntegerField()
    without_results = serializers.IntegerField(help_text="How often it found nothing.")


class SearchesOut(serializers.Serializer):
    results = QueryCountOut(many=True)


def intake_body(answer: IntakeResult) -> dict[str, Any]:
    rejected = [{"index": index, "reason": reason} for index, reason in answer.rejected]
    return {"accepted": answer.accepted, "rejected": rejected}


def event_body(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "user": event.user,
        "session": event.session,
        "product_id": event.product_id,
        "quantity": event.quantity,
        "at": event.at,
        "data": event.data,
    }


def audit_body(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": entry.actor,
        "actor_name": entry.actor_name,
        "action": entry.action,
        "service": entry.service,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "object_repr": entry.object_repr,
        "message": entry.message,
    }


def day_body(day: DayFigures) -> dict[str, Any]:
    return {
        "day": day.day,
        "total": sum(day.counts.values()),
        "counts": day.counts,
        "orders": day.orders,
        "units": day.units,
        "revenue": [{"amount": amount, "currency": currency} for currency, amount in day.revenue.items()],
        "bots": day.bots,
    }
