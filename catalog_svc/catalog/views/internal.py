"""For siblings: what is sold, and the stock of orders. Everything may be repeated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from catalog import present, wiring
from catalog.domain import How, Stock, Truth, is_sku
from catalog.domain.names import is_ident
from catalog.serializers import LinesIn, ReleaseIn, ReservationIn, TruthsIn
from catalog.services.stock import Line
from catalog.views.base import CatalogView
from chassis.api import errors
from chassis.api.pagination import page_params
from chassis.identity.permissions import FromService

_MOST_SKUS = 200


class SkusView(CatalogView):
    """GET /internal/skus?sku=a,b, from documents; what is not for sale is left out."""

    permission_classes: Any = [FromService("cart", "checkout", "reco")]

    def get(self, request: Request) -> Response:
        skus = [sku for part in request.query_params.getlist("sku") for sku in part.split(",")]
        if not 0 < len(skus) <= _MOST_SKUS or not all(is_sku(sku) for sku in skus):
            raise errors.BadRequest(
                errors={"sku": [f"Must be 1 to {_MOST_SKUS} SKUs with commas between them."]}
            )
        return Response([present.sellable(each) for each in wiring.parts().products.sellable(skus)])


class ReservationsView(CatalogView):
    """POST /internal/reservations: all lines or nothing; 409 `out-of-stock` with `short`.

    GET: all stock by SKU, and whose it is, in pages; for `reconcile`.
    """

    permission_classes: Any = [FromService("checkout")]

    def get(self, request: Request) -> Response:
        limit, cursor = page_params(request)
        found = wiring.parts().correction.books(limit=limit, cursor=cursor)
        return Response({"results": [_book(stock) for stock in found], "next": found.next})

    def post(self, request: Request) -> Response:
        fields = ReservationIn.of(request)
        lines = [Line(**line) for line in fields["lines"]]
        wiring.parts().stock.reserve(order_id=fields["order_id"], lines=lines, ttl=fields["ttl"])
        return Response({"order_id": fields["order_id"], "lines": fields["lines"]}, status=201)


class CorrectView(CatalogView):
    """POST /internal/reservations/correct: stock is made to agree with these orders; what had to be done."""

    permission_classes: Any = [FromService("checkout")]
    max_values = 100_000  # 200 orders of 100 lines

    def post(self, request: Request) -> Response:
        truths = [
            (
                line["sku"],
                Truth(
                    order["order_id"],
                    How(order["how"]),
                    line["quantity"],
                    order["since"],
                    order.get("sold_at"),
                ),
            )
            for order in TruthsIn.of(request)["orders"]
            for line in order["lines"]
        ]
        done = wiring.parts().correction.correct(truths)
        return Response({"results": [asdict(each) for each in done]})


def _book(stock: Stock) -> dict[str, Any]:
    held = [{"order_id": id, "how": "held", "quantity": h.quantity} for id, h in stock.reservations.items()]
    done = [
        {"order_id": id, "how": each.how, "quantity": each.quantity} for id, each in stock.finished.items()
    ]
    return {"sku": stock.sku, "on_hand": stock.on_hand, "available": stock.available, "orders": held + done}


class CommitView(CatalogView):
    """The order is paid: its units leave the shelf."""

    permission_classes: Any = [FromService("checkout")]

    def post(self, request: Request, order_id: str) -> Response:
        lines = _lines(_fields(request, LinesIn))
        wiring.parts().stock.commit(order_id=_known(order_id), lines=lines)
        return Response({"order_id": order_id, "status": "committed"})


class ReleaseView(CatalogView):
    """The order came to nothing, or was cancelled (`sold`): its units can be sold again."""

    permission_classes: Any = [FromService("checkout")]

    def post(self, request: Request, order_id: str) -> Response:
        fields = _fields(request, ReleaseIn)
        wiring.parts().stock.release(
            order_id=_known(order_id), lines=_lines(fields), sold=fields.get("sold", False)
        )
        return Response({"order_id": order_id, "status": "released"})


def _known(order_id: str) -> str:
    if not is_ident(order_id):
        raise errors.NotFound(detail="There is no such order.")
    return order_id


def _fields(request: Request, shape: type[LinesIn]) -> dict[str, Any]:
    """The body, which may be left away."""
    if not request.META.get("CONTENT_LENGTH", "0").strip("0 "):
        return {}
    fields: dict[str, Any] = shape.of(request)
    return fields


def _lines(fields: dict[str, Any]) -> list[Line] | None:
    """None when the body names none: all that the order holds."""
    return [Line(**line) for line in fields["lines"]] if "lines" in fields else None
