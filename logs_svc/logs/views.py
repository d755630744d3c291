"""The HTTP API of events, statistics and the audit trail."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.errors import BadRequest, Unavailable
from chassis.api.pagination import page, page_params
from chassis.api.throttling import client_address
from chassis.api.views import View
from chassis.identity import ByMethod, FromService, Public, Staff
from chassis.messaging.views import Inbox
from logs.container import dependencies
from logs.journal import JournalFull
from logs.serializers import (
    AuditPageOut,
    AuditQuery,
    DaysQuery,
    EventPageOut,
    EventsQuery,
    FunnelOut,
    IntakeOut,
    ReportedEventIn,
    SearchesOut,
    SearchesQuery,
    TimeseriesOut,
    TopProductsOut,
    TopProductsQuery,
    audit_body,
    day_body,
    event_body,
    intake_body,
)
from logs.services import Visitor
from logs.widgets import WidgetsOut, conversion_body

MAX_EVENTS = 100
CALLERS = ("auth", "catalog", "cart", "checkout", "logs", "reco", "autoscale")
_SESSION = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")

HEADERS = [
    OpenApiParameter(
        "X-Session-Id", str, OpenApiParameter.HEADER, description="The session of events that name none."
    ),
    OpenApiParameter(
        "X-Consent", str, OpenApiParameter.HEADER,
        description="`no`: count the events, and store neither account nor session.",
    ),
]  # fmt: skip


def _visitor(request: Request) -> Visitor:
    """Return the sender of events.

    The storefront passes on the browser's session, and whether the shopper consented.
    """
    session = request.headers.get("X-Session-Id", "")
    return Visitor(
        user=request.user.account_id,
        session=session if _SESSION.match(session) else None,
        agent=request.headers.get("User-Agent", ""),
        address=_public_address(request),
        consented=request.headers.get("X-Consent", "").lower() != "no",
    )


def _public_address(request: Request) -> str:
    """Return the shopper's address if it is a public one; many people may share a private one."""
    address = client_address(request)
    try:
        return address if ipaddress.ip_network(address).is_global else ""
    except ValueError:
        return ""


class EventsView(View):
    permission_classes = [ByMethod(GET=Staff("logs.event.read"), POST=Public)]
    max_values = 20_000  # 100 events of 200

    @extend_schema(
        operation_id="events_list",
        parameters=[EventsQuery],
        responses=EventPageOut,
    )
    def get(self, request: Request) -> Response:
        """List events, the newest first."""
        wanted = EventsQuery.of(request)["wanted"]
        limit, cursor = page_params(request)
        found = dependencies().event_queries.events_list(wanted, limit=limit, cursor=cursor)
        return Response(page(map(event_body, found), found.next))

    @extend_schema(
        operation_id="events_report",
        parameters=HEADERS,
        request=ReportedEventIn(many=True),
        responses={202: IntakeOut},
    )
    def post(self, request: Request) -> Response:
        """Report 1 to 100 events of a visitor; invalid ones are listed in `rejected`, the others stored."""
        payload = request.data
        if not isinstance(payload, list) or not 1 <= len(payload) <= MAX_EVENTS:
            reason = f"The body is an array of 1 to {MAX_EVENTS} events."
            raise BadRequest(reason, errors={"non_field_errors": [reason]})
        try:
            answer = dependencies().intake.events_accept(payload, _visitor(request))
        except JournalFull as full:
            raise Unavailable(retry_after=full.retry_after) from full
        return Response(intake_body(answer), status=202)


class AuditView(View):
    permission_classes = [Staff("logs.audit.read")]

    @extend_schema(operation_id="audit_list", parameters=[AuditQuery], responses=AuditPageOut)
    def get(self, request: Request) -> Response:
        """List who changed what, the newest first."""
        return _audit(request)


class InternalAuditView(View):
    permission_classes = [FromService(*CALLERS)]

    @extend_schema(operation_id="internal_audit_list", parameters=[AuditQuery], responses=AuditPageOut)
    def get(self, request: Request) -> Response:
        return _audit(request)


def _audit(request: Request) -> Response:
    query = AuditQuery.of(request)
    limit, cursor = page_params(request)
    found = dependencies().audit_trail.list(
        actor=query.get("actor"), object=query.get("object"), limit=limit, cursor=cursor
    )
    return Response(page(map(audit_body, found), found.next))


@extend_schema(exclude=True)
class InternalEventsView(Inbox):
    """The history for reco (GET), and the inbox, whose URL is the same in every service (POST)."""

    permission_classes = [ByMethod(GET=FromService("reco"), POST=FromService(*CALLERS))]

    def get(self, request: Request) -> Response:
        """Return the history in order of arrival: `?after=<next of the last page>&limit=` (1 to 1000).

        `checkpoint` is the `after` with which to continue another day.
        """
        limit = page_params(request, default=1000, most=1000).limit
        found = dependencies().event_queries.events_after(
            request.query_params.get("after") or None, limit=limit
        )
        return Response(page(map(event_body, found.events), found.next, checkpoint=found.checkpoint))


class TimeseriesView(View):
    permission_classes = [Staff("logs.event.read")]

    @extend_schema(operation_id="stats_timeseries", parameters=[DaysQuery], responses=TimeseriesOut)
    def get(self, request: Request) -> Response:
        """Return events by type, orders and revenue for each day."""
        series = dependencies().stats.timeseries(DaysQuery.of(request)["days"])
        return _results(map(day_body, series))


class FunnelView(View):
    permission_classes = [Staff("logs.event.read")]

    @extend_schema(operation_id="stats_funnel", parameters=[DaysQuery], responses=FunnelOut)
    def get(self, request: Request) -> Response:
        """Return the number of visitors who reached each step."""
        steps = dependencies().stats.funnel(DaysQuery.of(request)["days"])
        return _results(
            {"step": step, "visitors": visitors, "events": events} for step, visitors, events in steps
        )


class TopProductsView(View):
    permission_classes = [Staff("logs.event.read")]

    @extend_schema(operation_id="stats_top_products", parameters=[TopProductsQuery], responses=TopProductsOut)
    def get(self, request: Request) -> Response:
        """Return the products most viewed, added or bought."""
        query = TopProductsQuery.of(request)
        top = dependencies().stats.top_products(query["days"], type=query["type"], limit=query["limit"])
        return _results({"product_id": product, "count": count} for product, count in top)


class SearchesView(View):
    permission_classes = [Staff("logs.event.read")]

    @extend_schema(operation_id="stats_searches", parameters=[SearchesQuery], responses=SearchesOut)
    def get(self, request: Request) -> Response:
        """Return the most frequent searches, and how often each found nothing."""
        query = SearchesQuery.of(request)
        in_vain = bool(query.get("without_results"))
        top = dependencies().stats.searches(query["days"], limit=query["limit"], without_results=in_vain)
        return _results(
            {"query": text, "count": count, "without_results": empty} for text, count, empty in top
        )


class WidgetsView(View):
    permission_classes = [Staff("logs.event.read")]

    @extend_schema(operation_id="stats_widgets", parameters=[DaysQuery], responses=WidgetsOut)
    def get(self, request: Request) -> Response:
        """Return clicks, additions and purchases by shelf and variant, with confidence intervals."""
        return Response(conversion_body(dependencies().stats.widgets(DaysQuery.of(request)["days"])))


def _results(rows: Any) -> Response:
    return Response({"results": list(rows)})
