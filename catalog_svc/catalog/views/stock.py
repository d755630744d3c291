"""/stock/{sku}: exact numbers, for staff only."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import present, wiring
from catalog.answers import StockAnswer
from catalog.domain import Stock
from catalog.serializers import StockAdjustment, StockCount
from catalog.views.base import CatalogView, actor, matcher
from chassis.identity.permissions import ByMethod, Staff

_WRITE = Staff("catalog.stock.write")


def _answer(stock: Stock, status: int = 200) -> Response:
    return Response(present.stock(stock), status=status, headers={"ETag": f'"{stock.version}"'})


class StockView(CatalogView):
    """Units of one SKU: `on_hand` not yet sold, `available = on_hand - reserved`."""

    permission_classes: Any = [ByMethod(GET=Staff("catalog.stock.read"), PUT=_WRITE)]

    @extend_schema(operation_id="read_stock", responses=StockAnswer)
    def get(self, request: Request, sku: str) -> Response:
        return _answer(wiring.parts().stock.get(sku))

    @extend_schema(operation_id="count_stock", request=StockCount, responses=StockAnswer)
    def put(self, request: Request, sku: str) -> Response:
        on_hand = StockCount.of(request)["on_hand"]
        match = matcher(request, required=False)
        return _answer(
            wiring.parts().stock.count(sku=sku, on_hand=on_hand, actor=actor(request), match=match)
        )


class AdjustmentsView(CatalogView):
    """A delivery, breakage, a return: so many more, or fewer."""

    permission_classes: Any = [ByMethod(POST=_WRITE)]

    @extend_schema(operation_id="adjust_stock", request=StockAdjustment, responses={200: StockAnswer})
    def post(self, request: Request, sku: str) -> Response:
        fields = StockAdjustment.of(request)
        match = matcher(request, required=False)
        return _answer(wiring.parts().stock.adjust(sku=sku, **fields, actor=actor(request), match=match))
