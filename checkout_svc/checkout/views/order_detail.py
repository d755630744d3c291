"""Views that show and cancel orders."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.pagination import bad_cursor, page, page_params
from chassis.couch import BadCursor
from chassis.identity.permissions import Public

from .. import presenters, schemas, serializers
from ..container import dependencies
from ..services import OrderFilter
from .base import CheckoutView, principal, viewer

TOKEN = OpenApiParameter(
    "X-Order-Token", str, OpenApiParameter.HEADER, description="a guest's key to the order"
)


def list_orders(request: Request) -> Response:
    staff = principal(request).may("checkout.order.read")
    query = (serializers.StaffQuery if staff else serializers.PageQuery).of(request)
    limit, cursor = page_params(request)
    try:
        return Response(_list_all(query, limit, cursor) if staff else _list_own(request, limit, cursor))
    except BadCursor as error:
        raise bad_cursor() from error


def _list_own(request: Request, limit: int, cursor: str | None) -> dict[str, Any]:
    found, total = dependencies().order_service.list_for_account(
        principal(request).id, limit=limit, cursor=cursor
    )
    return page([presenters.order(order) for order in found], found.next, total=total)


def _list_all(query: dict[str, Any], limit: int, cursor: str | None) -> dict[str, Any]:
    filters = OrderFilter(
        status=query.get("status", ""),
        email=query.get("email", "").lower(),
        number=query.get("number", ""),
        since=query.get("from"),
        until=query.get("to"),
    )
    found = dependencies().order_service.search(filters, limit=limit, cursor=cursor)
    return page([presenters.order(order) for order in found], found.next)


class Order(CheckoutView):
    permission_classes = [Public]  # the order service checks access: 404 for others

    @extend_schema(parameters=[TOKEN], responses=schemas.OrderSchema)
    def get(self, request: Request, number: str) -> Response:
        """Return an order to its account, to staff, or to a guest who has its token."""
        serializers.EmptyQuery.of(request)
        return Response(presenters.order(dependencies().order_service.get(number, viewer(request))))


class Cancel(CheckoutView):
    permission_classes = [Public]  # as above

    @extend_schema(parameters=[TOKEN], request=serializers.Cancel, responses=schemas.OrderSchema)
    def post(self, request: Request, number: str) -> Response:
        """Cancel an order before it is sent: the money is refunded and the stock is free again."""
        body = serializers.Cancel.of(request)
        order = dependencies().order_service.cancel(number, viewer(request), reason=body.get("reason", ""))
        return Response(presenters.order(order))
