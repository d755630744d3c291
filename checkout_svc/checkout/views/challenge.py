"""The sandbox provider's page in place of a bank's 3-D Secure: approve or refuse a payment."""

from __future__ import annotations

import hmac
from html import escape

from django.http import HttpResponse, HttpResponseRedirect
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.errors import NotFound
from chassis.api.json import JSONParser
from chassis.identity.permissions import Public

from .. import serializers
from ..container import action_key, dependencies
from ..domain import UnknownPayment
from ..provider.sandbox import SandboxProvider
from .base import CheckoutView

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Test payment</title><h1>Test payment</h1>
<p>This page stands for the bank of order {order}. No money moves.</p>
<form method="post"><button name="decision" value="approve">Approve</button>
<button name="decision" value="refuse">Refuse</button></form></html>"""


class TestPayment(CheckoutView):
    """The page of a test payment; the key in its URL authorises the shopper."""

    permission_classes = [Public]
    parser_classes = [JSONParser, FormParser]
    produces = ("text/html",)

    @extend_schema(exclude=True)
    def get(self, request: Request, payment_id: str) -> HttpResponse:
        _check(request, payment_id)
        return HttpResponse(_PAGE.format(order=escape(_order_id(payment_id))))

    @extend_schema(exclude=True)
    def post(self, request: Request, payment_id: str) -> HttpResponse | Response:
        _check(request, payment_id)
        body = serializers.Decision.of(request)
        try:
            payment = _sandbox().decide(payment_id, approve=body["decision"] == "approve")
        except UnknownPayment as error:
            raise NotFound() from error
        order = dependencies().order_service.resume_after_decision(_order_id(payment_id).partition(".")[0])
        if "json" in (request.content_type or ""):
            return Response({"payment": payment_id, "outcome": payment.outcome.value})
        return HttpResponseRedirect(dependencies().order_mail.link(order))


def _order_id(payment_id: str) -> str:
    return payment_id.removeprefix("pay_")


def _sandbox() -> SandboxProvider:
    """Return the sandbox provider. Raises NotFound if there is none."""
    sandbox = dependencies().sandbox
    if sandbox is None:
        raise NotFound()
    return sandbox


def _check(request: Request, payment_id: str) -> None:
    _sandbox()
    query = serializers.KeyQuery.of(request)
    if not hmac.compare_digest(query["key"].encode(), action_key(payment_id).encode()):
        raise NotFound()
