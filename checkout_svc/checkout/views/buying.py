"""What a shopper does until the order is placed."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.errors import Problem
from chassis.api.idempotency import fingerprint, idempotency_key
from chassis.identity.permissions import ByMethod, Public, SignedIn

from .. import presenters, serializers, shapes
from ..domain import Money, shipping_methods
from ..services import Placed, PlaceOrder
from ..wiring import parts
from .base import CheckoutView, address, basket, principal, session_id
from .reading import list_orders

IDEMPOTENCY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)


class ShippingMethods(CheckoutView):
    permission_classes = [Public]

    @extend_schema(parameters=[serializers.ShippingQuery], responses=shapes.ShippingMethodsShape)
    def get(self, request: Request) -> Response:
        """How a parcel can be sent to a country, and for how much."""
        query = serializers.ShippingQuery.of(request)
        return Response(
            {"results": [presenters.shipping_method(one) for one in shipping_methods(query["country"])]}
        )


class PaymentMethods(CheckoutView):
    permission_classes = [Public]

    @extend_schema(responses=shapes.PaymentMethodsShape)
    def get(self, request: Request) -> Response:
        """How an order can be paid; empty without a payment provider. `test`: no money moves."""
        serializers.Nothing.of(request)
        test = parts().sandbox is not None
        return Response({"results": [{"code": code, "test": test} for code in parts().payments.methods]})


class Quotes(CheckoutView):
    permission_classes = [Public]

    @extend_schema(request=serializers.Quote, responses=shapes.TotalsShape)
    def post(self, request: Request) -> Response:
        """What it would cost just now; nothing is kept."""
        body = serializers.Quote.of(request)
        priced = parts().pricing.price(
            basket(body),
            account_id=principal(request).account_id,
            address=address(body["shipping_address"]),
            method=body["shipping_method"],
            coupon=body.get("coupon", ""),
        )
        return Response(presenters.totals(priced.totals))


class Orders(CheckoutView):
    permission_classes = [ByMethod(POST=Public, GET=SignedIn)]

    @extend_schema(
        parameters=[IDEMPOTENCY],
        request=serializers.NewOrder,
        responses={201: shapes.OrderShape, 202: shapes.OrderShape},
    )
    def post(self, request: Request) -> Response:
        """Place an order, once per key. 202 while its payment is not decided: poll it."""
        key = idempotency_key(request, required=True)
        body = serializers.NewOrder.of(request)
        return _answer(parts().placing.place(_wish(request, str(key), body)))

    @extend_schema(
        operation_id="orders_list", parameters=[serializers.StaffQuery], responses=shapes.OrdersShape
    )
    def get(self, request: Request) -> Response:
        """My orders, the newest first; for staff all, with filters."""
        return list_orders(request)


def _wish(request: Request, key: str, body: dict) -> PlaceOrder:
    expected, billing = body.get("expected_total"), body.get("billing_address")
    return PlaceOrder(
        key=key,
        fingerprint=fingerprint(request.data),
        account_id=principal(request).account_id,
        session_id=session_id(request),
        basket=basket(body),
        email=body["email"].lower(),
        shipping_address=address(body["shipping_address"]),
        billing_address=address(billing) if billing else None,
        shipping_method=body["shipping_method"],
        payment_method=body["payment"]["method"],
        payment_token=body["payment"]["token"],
        expected_total=Money(**expected) if expected else None,
    )


def _answer(placed: Placed) -> Response:
    """The stored answer, whether it is new or given again."""
    answer, headers = placed.order.answer, {"Idempotent-Replay": "true"} if placed.replay else {}
    assert answer is not None  # noqa: S101  # place() raises otherwise
    if answer.problem:
        raise Problem(answer.status, answer.problem, answer.detail, headers=headers, **answer.members)
    headers["Location"] = f"/api/checkout/orders/{placed.order.id}"
    token = parts().desk.token(placed.order)
    return Response(
        presenters.order(placed.order.as_answered(), token), status=answer.status, headers=headers
    )
