"""Routes of a sample service, one for each thing that the chassis does about requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from chassis import clients, couch
from chassis.api import errors, serializers
from chassis.api.etag import require_match, tagged
from chassis.api.idempotency import idempotency_key
from chassis.api.pagination import decode_cursor, encode_cursor, page, page_params
from chassis.api.throttling import Limit, by_address
from chassis.api.views import View
from chassis.identity import ByMethod, FromService, Public, SignedIn, Staff, principal_of
from chassis.service import urlpatterns as mount


class Line(serializers.Strict):
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, max_value=99)


class Order(serializers.Strict):
    lines = Line(many=True, allow_empty=False)
    gift = serializers.BooleanField(required=False)
    state = serializers.CharField(read_only=True)


class Filters(serializers.Query):
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False)
    in_stock = serializers.BooleanField(required=False)
    q = serializers.CharField(required=False, max_length=50)


class Root(View):
    """The service's own address, without a slash behind it."""

    permission_classes = [ByMethod(GET=Public, POST=SignedIn, DELETE=Staff("catalog.product.write"))]

    @extend_schema(responses=Filters)
    def get(self, request: Request) -> Response:
        return Response(Filters.of(request))

    @extend_schema(request=Order, responses=Order)
    def post(self, request: Request) -> Response:
        return Response(Order.of(request), status=201)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        return Response(status=204)


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Listing(View):
    permission_classes = [Public]

    def get(self, request: Request) -> Response:
        limit, cursor = page_params(request)
        start = decode_cursor(cursor, int)
        first = start[0] if start else 0
        return Response(page(range(first, first + limit), encode_cursor(first + limit), total=1000))


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Tagged(View):
    permission_classes = [Public]

    def get(self, request: Request) -> Response:
        return tagged(request, {"version": 3}, 3)

    def patch(self, request: Request) -> Response:
        require_match(request, 3)
        return Response({"version": 4})


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Keyed(View):
    permission_classes = [Public]

    def post(self, request: Request) -> Response:
        return Response({"key": idempotency_key(request, required=True)})


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Limited(View):
    permission_classes = [Public]
    throttle_classes = [by_address(Limit("sample", rate=60, per=60, burst=2))]

    def get(self, request: Request) -> Response:
        return Response({})


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Csv(View):
    permission_classes = [Public]
    produces = ("text/csv",)

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse("a,b\r\n", content_type="text/csv")


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Ready(View):
    """Bytes that are JSON already."""

    permission_classes = [Public]

    def get(self, request: Request) -> Response:
        return Response(b'{"ready":true}')


class Nobody(View):
    """Names no permission."""

    def get(self, request: Request) -> Response:
        return Response({})


class Empty(View):
    permission_classes: list[Any] = []

    def get(self, request: Request) -> Response:
        return Response({})


class Internal(View):
    permission_classes = [FromService("cart", "checkout")]

    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        return Response({"service": principal.service, "account": principal.account_id})


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Item(View):
    permission_classes = [Public]

    def get(self, request: Request, item: str) -> Response:
        return Response({"id": item})


RAISES: dict[str, Callable[[], Exception]] = {
    "conflict": lambda: errors.Conflict("out-of-stock", "Too few.", short=[{"sku": "a", "available": 1}]),
    "unprocessable": lambda: errors.Unprocessable("total-changed", "The total changed."),
    "payment": lambda: errors.PaymentRequired(detail="The card was declined."),
    "away": lambda: errors.Unavailable(retry_after=2.2),
    "fields": lambda: errors.BadRequest(errors={"limit": ["Too many."]}),
    "store-not-found": lambda: couch.NotFound("order:1"),
    "store-conflict": lambda: couch.Conflict("order:1"),
    "store-busy": lambda: couch.Busy("order:1"),
    "store-away": lambda: couch.Unavailable("connection refused to http://admin:pw@couch"),
    "store-cursor": lambda: couch.BadCursor("x"),
    "service-down": lambda: clients.ServiceUnavailable("cart", "timeout"),
    "service-throttled": lambda: clients.Throttled("auth", 7.2),
    "service-polite": lambda: clients.ServiceUnavailable("auth", "answered 503", 503, 9),
    "http404": lambda: Http404("a secret"),
    "throttled": lambda: Throttled(wait=3.2),
    "bug": lambda: RuntimeError("password=hunter2"),
}


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
class Raising(View):
    permission_classes = [Public]

    def get(self, request: Request, what: str) -> Response:
        raise RAISES[what]()


urlpatterns = mount(
    api=[
        path("", Root.as_view()),
        path("listing", Listing.as_view()),
        path("tagged", Tagged.as_view()),
        path("keyed", Keyed.as_view()),
        path("limited", Limited.as_view()),
        path("csv", Csv.as_view()),
        path("ready", Ready.as_view()),
        path("items/<id:item>", Item.as_view()),
        path("raise/<slug:what>", Raising.as_view()),
    ],
    internal=[path("things", Internal.as_view())],
)

faulty = [
    path("nobody", Nobody.as_view()),
    path("empty", Empty.as_view()),
    path("function", lambda request: HttpResponse()),
    path("internal/open", Item.as_view()),
]
