"""The admin's live page, which polls for new events every two seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse

from chassis.admin import site
from chassis.couch import BadCursor
from logs.container import dependencies
from logs.domain import Event
from logs.domain.events import format_time

_BATCH_SIZE = 100


def live(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Return the page; with `?after=` (a cursor, or empty for the newest) new events as JSON."""
    if "after" not in request.GET:
        return TemplateResponse(request, "admin/logs/live.html", context)
    try:
        events, after = dependencies().event_queries.tail(
            request.GET["after"][:512] or None, limit=_BATCH_SIZE
        )
    except BadCursor:
        events, after = dependencies().event_queries.tail(None, limit=_BATCH_SIZE)
    titles = dependencies().catalog.titles(sorted({event.product_id for event in events if event.product_id}))
    answer = JsonResponse({"events": [_shown(event, titles) for event in events], "after": after or ""})
    answer["Cache-Control"] = "no-store"
    return answer


def _shown(event: Event, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return an event's row; a product that the catalogue does not know is shown by its id."""
    product = event.product_id or ""
    said = ", ".join(f"{name}: {value}" for name, value in event.data.items())
    return {
        "id": event.id,
        "at": format_time(event.at),
        "type": event.type,
        "product": titles.get(product, product),
        "who": event.user or event.session or "",
        "said": (event.query or said)[:200],
    }


site.page("live/", live, title="Live", permission="logs.event.read")
