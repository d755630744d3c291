"""POST /internal/events: where services tell this service their events."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api import errors
from chassis.api.views import View
from chassis.identity.permissions import Permission
from chassis.identity.principal import principal_of

from .inbox import Handler, RetryLater, receive

_LARGEST_BATCH = 500


class FromAnyService(Permission):
    """Any service that proves itself; the inbox holds each to its own events."""

    for_services = True

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(principal_of(request).service)


@extend_schema(exclude=True)
class Inbox(View):
    """Takes a JSON array of envelopes.

    Answers 200 `{"results": [{"id", "status", "reason"?}]}`, or 503 when it cannot be taken now.
    """

    permission_classes = [FromAnyService]
    max_body = 8 << 20  # bytes of a batch
    max_values = 200_000  # 500 orders of 100 lines

    def post(self, request: Request) -> Response:
        events = request.data
        if not isinstance(events, list) or not 0 < len(events) <= _LARGEST_BATCH:
            raise errors.BadRequest(errors={"events": [f"must be a list of 1 to {_LARGEST_BATCH} envelopes"]})
        try:
            results = receive(events, handlers(), caller=principal_of(request).service or "")
        except RetryLater as error:
            raise errors.Unavailable(retry_after=1) from error
        return Response({"results": results})


def handlers() -> Mapping[str, Handler]:
    """`container.HANDLERS` of the service; none when it listens to nobody."""
    container = importlib.import_module(f"{settings.SERVICE_APP}.container")
    return getattr(container, "HANDLERS", {})
