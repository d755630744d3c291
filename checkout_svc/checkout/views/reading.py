"""Looking at orders, and cancelling them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.pagination import bad_cursor, page, page_params
from chassis.couch import BadCursor
from chassis.identity.permissions import Public

from .. import presenters, serializers, shapes
from ..services import Search
from ..wiring import parts
from .base import CheckoutView, principal, viewer

TOKEN = OpenApiParameter(
    "X-Order-Token", str, OpenApiParameter.HEADER, description="a guest's key to the order"
)


def list_orders(request: Request) -> Response:
    staff = principal(request).may("checkout.order.read")
    query = (serializers.StaffQuery if staff else serializers.PageQuery).of(request)
    limit, cursor = page_params(request)
    try:
        return Response(_everyones(query, limit, cursor) if staff else _mine(request, limit, cursor))
    except BadCursor as error:
        raise bad_cursor() from error


def _mine(request: Request, limit: int, cursor: str | None) -> dict[str, Any]:
    found, total = parts().desk.mine(principal(request).id, limit=limit, cursor=cursor)
    return page([presenters.order(order) for order in found], found.next, total=total)


def _everyones(query: dict[str, Any], limit: int, cursor: str | None) -> dict[str, Any]:
    search = Search(
        status=query.get("status", ""),
        email=query.get("email", "").lower(),
        number=query.get("number", ""),
        since=query.get("from"),
        until=query.get("to"),
    )
    found = parts().desk.search(search, limit=limit, cursor=cursor)
    return page([presenters.order(order) for order in found], found.next)


class Order(CheckoutView):
    permission_classes = [Public]  # the desk tells whose it is, and 404 to everyone else

    @extend_schema(parameters=[TOKEN], responses=shapes.OrderShape)
    def get(self, request: Request, number: str) -> Response:
        """One order: for its account, for staff, or for a guest who has its token."""
        serializers.Nothing.of(request)
        return Response(presenters.order(parts().desk.get(number, viewer(request))))


class Cancel(CheckoutView):
    permission_classes = [Public]  # as above

    @extend_schema(parameters=[TOKEN], request=serializers.Cancel, responses=shapes.OrderShape)
    def post(self, request: Request, number: str) -> Response:
        """Take it back before it is sent: the money is refunded and the stock is free again."""
        body = serializers.Cancel.of(request)
        order = parts().desk.cancel(number, viewer(request), reason=body.get("reason", ""))
        return Response(presenters.order(order))
