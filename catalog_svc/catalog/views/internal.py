"""Internal views for other services: SKUs for sale, and stock of orders; calls may be repeated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from catalog import container, representations
from catalog.domain import ExpectedReservation, ReservationStatus, Stock, is_sku
from catalog.domain.names import is_identifier
from catalog.input_serializers import LinesInput, ReconciliationInput, ReleaseInput, ReservationInput
from catalog.services.stock import ReservationLine
from catalog.views.base import CatalogView
from chassis.api import errors
from chassis.api.pagination import page_params
from chassis.identity.permissions import FromService

_MAX_SKUS = 200


class SkusView(CatalogView):
    """GET /internal/skus?sku=a,b, from documents, without SKUs that are not for sale."""

    permission_classes: Any = [FromService("cart", "checkout", "reco")]

    def get(self, request: Request) -> Response:
        skus = [sku for part in request.query_params.getlist("sku") for sku in part.split(",")]
        if not 0 < len(skus) <= _MAX_SKUS or not all(is_sku(sku) for sku in skus):
            raise errors.BadRequest(
                errors={"sku": [f"Must be 1 to {_MAX_SKUS} SKUs with commas between them."]}
            )
        return Response(
            [representations.sellable(each) for each in container.dependencies().products.find_sellable(skus)]
        )


class ReservationsView(CatalogView):
    """POST /internal/reservations: all lines or nothing; 409 `out-of-stock` with `short`.

    GET returns pages of all stock by SKU with its orders, for `reconcile`.
    """

    permission_classes: Any = [FromService("checkout")]

    def get(self, request: Request) -> Response:
        limit, cursor = page_params(request)
        found = container.dependencies().reconciliation.list_stock(limit=limit, cursor=cursor)
        return Response({"results": [_serialize_stock(stock) for stock in found], "next": found.next})

    def post(self, request: Request) -> Response:
        fields = ReservationInput.of(request)
        lines = [ReservationLine(**line) for line in fields["lines"]]
        container.dependencies().stock.reserve(order_id=fields["order_id"], lines=lines, ttl=fields["ttl"])
        return Response({"order_id": fields["order_id"], "lines": fields["lines"]}, status=201)


class ReconcileView(CatalogView):
    """POST /internal/reservations/correct: bring stock in line with these orders.

    The response lists the corrections.
    """

    permission_classes: Any = [FromService("checkout")]
    max_values = 100_000  # 200 orders of 100 lines

    def post(self, request: Request) -> Response:
        expected = [
            (
                line["sku"],
                ExpectedReservation(
                    order["order_id"],
                    ReservationStatus(order["how"]),
                    line["quantity"],
                    order["since"],
                    order.get("sold_at"),
                ),
            )
            for order in ReconciliationInput.of(request)["orders"]
            for line in order["lines"]
        ]
        done = container.dependencies().reconciliation.reconcile(expected)
        return Response({"results": [asdict(each) for each in done]})


def _serialize_stock(stock: Stock) -> dict[str, Any]:
    held = [{"order_id": id, "how": "held", "quantity": h.quantity} for id, h in stock.reservations.items()]
    done = [
        {"order_id": id, "how": each.how, "quantity": each.quantity} for id, each in stock.finished.items()
    ]
    return {"sku": stock.sku, "on_hand": stock.on_hand, "available": stock.available, "orders": held + done}


class CommitView(CatalogView):
    """Commit of a paid order: its units leave the shelf."""

    permission_classes: Any = [FromService("checkout")]

    def post(self, request: Request, order_id: str) -> Response:
        lines = _lines(_fields(request, LinesInput))
        container.dependencies().stock.commit(order_id=_check_order_id(order_id), lines=lines)
        return Response({"order_id": order_id, "status": "committed"})


class ReleaseView(CatalogView):
    """Release of an abandoned or cancelled (`sold`) order: its units can be sold again."""

    permission_classes: Any = [FromService("checkout")]

    def post(self, request: Request, order_id: str) -> Response:
        fields = _fields(request, ReleaseInput)
        container.dependencies().stock.release(
            order_id=_check_order_id(order_id), lines=_lines(fields), sold=fields.get("sold", False)
        )
        return Response({"order_id": order_id, "status": "released"})


def _check_order_id(order_id: str) -> str:
    if not is_identifier(order_id):
        raise errors.NotFound(detail="There is no such order.")
    return order_id


def _fields(request: Request, shape: type[LinesInput]) -> dict[str, Any]:
    """Return the body, which is optional."""
    if not request.META.get("CONTENT_LENGTH", "0").strip("0 "):
        return {}
    fields: dict[str, Any] = shape.of(request)
    return fields


def _lines(fields: dict[str, Any]) -> list[ReservationLine] | None:
    """Return the lines; None, meaning all that the order holds, if the body names none."""
    return [ReservationLine(**line) for line in fields["lines"]] if "lines" in fields else None
