"""The base of every view of ours: JSON only, default deny, lean."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chassis.api import converters, errors  # noqa: F401  # importing converters registers <id:…>
from chassis.api.json import MAX_BODY, MAX_VALUES, JSONParser, JSONRenderer
from chassis.api.negotiation import Negotiation
from chassis.identity.authentication import TokenAuthentication
from chassis.identity.permissions import DenyAll


class View(APIView):
    """Plain DRF underneath. A subclass names its `permission_classes`; without them nobody gets in.

    `max_body` is the most bytes of a JSON body and `max_values` the most values in it. `produces` lists media
    types besides JSON which a method answers by itself, as ("text/csv",).
    """

    authentication_classes = [TokenAuthentication]
    permission_classes: Any = [DenyAll]
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser]
    throttle_classes: Any = []
    content_negotiation_class = Negotiation
    metadata_class = None
    versioning_class = None
    produces: tuple[str, ...] = ()
    max_body = MAX_BODY
    max_values = MAX_VALUES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 405 to everybody for a method that does not exist, before anyone is asked who they are."""
        if (request.method or "").lower() not in self.http_method_names or not hasattr(
            self, (request.method or "").lower()
        ):
            raise MethodNotAllowed(request.method or "")
        super().initial(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        if request.method == "OPTIONS":
            return  # says which methods there are, and no more
        if not self.permission_classes:
            self.permission_denied(request)  # an empty list denies
        super().check_permissions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nobody keeps an answer, unless the view says how long: most are for one person."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def get_exception_handler(self) -> Any:
        return errors.exception_handler

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204)
