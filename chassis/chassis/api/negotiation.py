"""JSON or 406: what DRF's negotiation comes to when there is one renderer, without its cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from chassis.api.json import JSONRenderer

_JSON = frozenset({"*/*", "application/*", "application/json", "application/problem+json"})


class Negotiation(DefaultContentNegotiation):
    """A view that answers other types itself (CSV, PDF) lists them in `produces`."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        offered = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type in (offered, "*/*")), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        if not isinstance(first, JSONRenderer):
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
            return chosen
        accept = request.META.get("HTTP_ACCEPT")
        if not accept or accept in {"*/*", "application/json"}:
            return first, "application/json"
        view: Any = (request.parser_context or {}).get("view")
        if not _accepts(accept, _JSON.union(getattr(view, "produces", ()))):
            raise NotAcceptable
        return first, "application/json"


def _accepts(header: str, ours: frozenset[str]) -> bool:
    for part in header.split(","):
        media_type, _, parameters = part.partition(";")
        refused = parameters.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
        if media_type.strip().lower() in ours and not refused:
            return True
    return False
