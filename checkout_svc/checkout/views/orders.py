"""Views up to the placed order: methods, quotes and `/orders`."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.errors import Problem
from chassis.api.idempotency import fingerprint, idempotency_key
from chassis.identity.permissions import ByMethod, Public, SignedIn

from .. import presenters, schemas, serializers
from ..container import dependencies
from ..domain import Money, shipping_methods
from ..services import PlacedOrder, PlaceOrderCommand
from .base import CheckoutView, address, basket, principal, session_id
from .order_detail import list_orders

IDEMPOTENCY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)


class ShippingMethods(CheckoutView):
    permission_classes = [Public]

    @extend_schema(parameters=[serializers.ShippingQuery], responses=schemas.ShippingMethodsSchema)
    def get(self, request: Request) -> Response:
        """List the shipping methods and prices for a country."""
        query = serializers.ShippingQuery.of(request)
        return Response(
            {"results": [presenters.shipping_method(one) for one in shipping_methods(query["country"])]}
        )


class PaymentMethods(CheckoutView):
    permission_classes = [Public]

    @extend_schema(responses=schemas.PaymentMethodsSchema)
    def get(self, request: Request) -> Response:
        """List the payment methods; empty without a payment provider. `test`: no money moves."""
        serializers.EmptyQuery.of(request)
        test = dependencies().sandbox is not None
        return Response(
            {"results": [{"code": code, "test": test} for code in dependencies().payments.methods]}
        )


class Quotes(CheckoutView):
    permission_classes = [Public]

    @extend_schema(request=serializers.Quote, responses=schemas.TotalsSchema)
    def post(self, request: Request) -> Response:
        """Return what an order would cost now; nothing is stored."""
        body = serializers.Quote.of(request)
        priced = dependencies().pricing.price(
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
        responses={201: schemas.OrderSchema, 202: schemas.OrderSchema},
    )
    def post(self, request: Request) -> Response:
        """Place an order, once per key. 202 while its payment is not decided: poll it."""
        key = idempotency_key(request, required=True)
        body = serializers.NewOrder.of(request)
        return _answer(dependencies().place_order.place(_command(request, str(key), body)))

    @extend_schema(
        operation_id="orders_list", parameters=[serializers.StaffQuery], responses=schemas.OrdersSchema
    )
    def get(self, request: Request) -> Response:
        """List my orders, the newest first; staff get all orders, with filters."""
        return list_orders(request)


def _command(request: Request, key: str, body: dict) -> PlaceOrderCommand:
    expected, billing = body.get("expected_total"), body.get("billing_address")
    return PlaceOrderCommand(
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


def _answer(placed: PlacedOrder) -> Response:
    """Return the stored response, be it new or a replay."""
    answer, headers = placed.order.answer, {"Idempotent-Replay": "true"} if placed.replay else {}
    assert answer is not None  # noqa: S101  # place() raises otherwise
    if answer.problem:
        raise Problem(answer.status, answer.problem, answer.detail, headers=headers, **answer.members)
    headers["Location"] = f"/api/checkout/orders/{placed.order.id}"
    token = dependencies().order_service.token(placed.order)
    return Response(
        presenters.order(placed.order.as_answered(), token), status=answer.status, headers=headers
    )
