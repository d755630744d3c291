"""Helpers that the views share: the caller, and problems for expected errors."""

from __future__ import annotations

import re
from typing import Any, cast

from rest_framework.request import Request

from chassis.api.errors import Problem
from chassis.api.views import View
from chassis.identity.principal import Principal

from ..domain import Address, NotAllowed, NotConfigured, ProviderDown, RefundRefused, Totals
from ..presenters import totals
from ..services import Basket, DependencyUnavailable, RuleViolation, Viewer

_UNPROCESSABLE = {"idempotency-key-reused", "refund-too-large", "not-refundable"}
NOT_CONFIGURED_RETRY_AFTER = 3600  # seconds: it takes a person to configure a payment provider
_SESSION = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")


class CheckoutView(View):
    def handle_exception(self, exc: Exception) -> Any:
        return super().handle_exception(problem_for(exc) or exc)


def problem_for(error: Exception) -> Problem | None:
    """Return the problem for one of this service's own errors, or None."""
    if isinstance(error, RuleViolation):
        members: Any = {k: totals(v) if isinstance(v, Totals) else v for k, v in error.members.items()}
        return Problem(error.status, error.type, error.detail, **members)
    if isinstance(error, NotAllowed):
        status = 422 if error.type in _UNPROCESSABLE else 409
        return Problem(status, error.type, str(error), **error.members)
    if isinstance(error, RefundRefused):
        return Problem(422, "refund-refused", str(error))
    if isinstance(error, NotConfigured):
        detail = "This shop has no payment provider yet, so it takes no orders; nothing is held."
        return Problem(503, "payment-not-configured", detail, retry_after=NOT_CONFIGURED_RETRY_AFTER)
    if isinstance(error, DependencyUnavailable | ProviderDown):
        return Problem(
            503, "unavailable", "We cannot take this order just now; nothing was charged.", retry_after=5
        )
    return None


def principal(request: Request) -> Principal:
    """Return the caller, with the type that TokenAuthentication really gives."""
    return cast("Principal", request.user)


def viewer(request: Request) -> Viewer:
    user = principal(request)
    return Viewer(
        account_id=user.account_id,
        token=request.headers.get("X-Order-Token", ""),
        may_read=user.may("checkout.order.read"),
        may_write=user.may("checkout.order.write"),
    )


def session_id(request: Request) -> str | None:
    """Return the browser's session id, which is sent only with consent, or None if it is malformed."""
    text = request.headers.get("X-Session-Id", "")
    return text if _SESSION.match(text) else None


def basket(body: dict[str, Any]) -> Basket:
    return Basket(body.get("cart_id"), quantities(body["lines"]) if "lines" in body else None)


def quantities(lines: list[dict[str, Any]]) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in lines}


def address(body: dict[str, Any]) -> Address:
    return Address(**body)
