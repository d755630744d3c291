"""Views for staff who process confirmed orders."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis import clock
from chassis.api.idempotency import fingerprint, idempotency_key, scoped
from chassis.identity.permissions import Staff
from chassis.ids import new_id

from .. import presenters, schemas, serializers
from ..container import dependencies
from ..domain import Money, Order, RefundRequest, Shipment
from ..services import Viewer
from .base import CheckoutView, principal, quantities

KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)


class Shipments(CheckoutView):
    permission_classes = [Staff("checkout.order.write")]

    @extend_schema(parameters=[KEY], request=serializers.NewShipment, responses={201: schemas.OrderSchema})
    def post(self, request: Request, number: str) -> Response:
        """Record a parcel with these lines, or with all that is left."""
        body = serializers.NewShipment.of(request)
        shipment = Shipment(
            id=_id(request, number),
            at=clock.now(),
            carrier=body["carrier"],
            tracking=body["tracking"],
            lines=quantities(body.get("lines", [])),
            fingerprint=fingerprint(request.data),
        )
        replay = any(one.id == shipment.id for one in _order(number).shipments)
        order = dependencies().order_service.ship(number, shipment, actor=principal(request).id)
        return _made(order, replay)


class Deliver(CheckoutView):
    permission_classes = [Staff("checkout.order.write")]

    @extend_schema(parameters=[KEY], request=None, responses=schemas.OrderSchema)
    def post(self, request: Request, number: str) -> Response:
        """Mark the whole order as delivered."""
        idempotency_key(request)
        return Response(
            presenters.order(dependencies().order_service.deliver(number, actor=principal(request).id))
        )


class Refunds(CheckoutView):
    permission_classes = [Staff("checkout.refund.write")]

    @extend_schema(
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)],
        request=serializers.NewRefund,
        responses={201: schemas.OrderSchema},
    )
    def post(self, request: Request, number: str) -> Response:
        """Refund an amount, units of lines, or all that is left. Each line at most once per request."""
        idempotency_key(request, required=True)
        body = serializers.NewRefund.of(request)
        wanted = body.get("amount")
        refund = RefundRequest(
            id=_id(request, number),
            at=clock.now(),
            reason=body["reason"],
            fingerprint=fingerprint(request.data),
            amount=Money(**wanted) if wanted else None,
            lines=quantities(body.get("lines", [])),
        )
        replay = _order(number).refund(refund.id) is not None
        return _made(dependencies().order_service.refund(number, refund, actor=principal(request).id), replay)


def _order(number: str) -> Order:
    return dependencies().order_service.get(number, Viewer(may_read=True))


def _made(order: Order, replay: bool) -> Response:
    headers = {"Idempotent-Replay": "true"} if replay else {}
    return Response(presenters.order(order), status=201, headers=headers)


def _id(request: Request, number: str) -> str:
    """Return the same id for the same key, so that the order recognises a repeated request."""
    key = idempotency_key(request)
    return scoped(number, key)[:32] if key else new_id()
