"""What happens just now, in the admin: a page that asks every two seconds for what came since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse

from chassis.admin import site
from chassis.couch import BadCursor
from logs.domain import Event
from logs.domain.events import text
from logs.wiring import parts

_AT_ONCE = 100


def live(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page; with `?after=` (a cursor, or empty for the newest events) what came since, as JSON."""
    if "after" not in request.GET:
        return TemplateResponse(request, "admin/logs/live.html", context)
    try:
        events, after = parts().reading.tail(request.GET["after"][:512] or None, limit=_AT_ONCE)
    except BadCursor:
        events, after = parts().reading.tail(None, limit=_AT_ONCE)
    titles = parts().catalog.titles(sorted({event.product_id for event in events if event.product_id}))
    answer = JsonResponse({"events": [_shown(event, titles) for event in events], "after": after or ""})
    answer["Cache-Control"] = "no-store"
    return answer


def _shown(event: Event, titles: Mapping[str, str]) -> dict[str, Any]:
    """A product that the catalogue does not know (any more) by its id."""
    product = event.product_id or ""
    said = ", ".join(f"{name}: {value}" for name, value in event.data.items())
    return {
        "id": event.id,
        "at": text(event.at),
        "type": event.type,
        "product": titles.get(product, product),
        "who": event.user or event.session or "",
        "said": (event.query or said)[:200],
    }


site.page("live/", live, title="Live", permission="logs.event.read")
