"""Views of /stock/{sku}: exact numbers, for staff only."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import container, representations
from catalog.domain import Stock
from catalog.input_serializers import StockAdjustmentInput, StockCountInput
from catalog.output_serializers import StockOutput
from catalog.views.base import CatalogView, actor, version_check
from chassis.identity.permissions import ByMethod, Staff

_WRITE = Staff("catalog.stock.write")


def _answer(stock: Stock, status: int = 200) -> Response:
    return Response(representations.stock(stock), status=status, headers={"ETag": f'"{stock.version}"'})


class StockView(CatalogView):
    """Units of one SKU: `on_hand` not yet sold, `available = on_hand - reserved`."""

    permission_classes: Any = [ByMethod(GET=Staff("catalog.stock.read"), PUT=_WRITE)]

    @extend_schema(operation_id="read_stock", responses=StockOutput)
    def get(self, request: Request, sku: str) -> Response:
        return _answer(container.dependencies().stock.get(sku))

    @extend_schema(operation_id="count_stock", request=StockCountInput, responses=StockOutput)
    def put(self, request: Request, sku: str) -> Response:
        on_hand = StockCountInput.of(request)["on_hand"]
        check_version = version_check(request, required=False)
        return _answer(
            container.dependencies().stock.set_on_hand(
                sku=sku, on_hand=on_hand, actor=actor(request), check_version=check_version
            )
        )


class AdjustmentsView(CatalogView):
    """Adjustment of stock by a number of units: a delivery, breakage, a return."""

    permission_classes: Any = [ByMethod(POST=_WRITE)]

    @extend_schema(operation_id="adjust_stock", request=StockAdjustmentInput, responses={200: StockOutput})
    def post(self, request: Request, sku: str) -> Response:
        fields = StockAdjustmentInput.of(request)
        check_version = version_check(request, required=False)
        return _answer(
            container.dependencies().stock.adjust(
                sku=sku, **fields, actor=actor(request), check_version=check_version
            )
        )
