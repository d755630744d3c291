"""Views of passwords and address verification."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import serializers
from accounts.container import dependencies
from chassis.api.throttling import Limit, client_address
from chassis.api.views import View
from chassis.identity import Public, SignedIn

from . import responses


class Forgot(View):
    """POST /password/forgot."""

    permission_classes = [Public]
    limit = Limit("forgot", rate=settings.AUTH_RATE, burst=settings.AUTH_RATE)

    @extend_schema(request=serializers.Email, responses={202: None})
    def post(self, request: Request) -> Response:
        """Request a link to set a new password; the response never reveals whether the account exists.

        The number of mails per client address and minute is limited, silently.
        """
        email = serializers.Email.of(request)["email"]
        if self.limit.wait(client_address(request)) <= 0:
            dependencies().recovery.request_reset(email)
        return Response(status=202)


class Reset(View):
    """POST /password/reset."""

    permission_classes = [Public]

    @extend_schema(request=serializers.Reset, responses={204: None})
    def post(self, request: Request) -> Response:
        """Set a new password with the token of the mail, once."""
        dependencies().recovery.reset(**serializers.Reset.of(request))
        return responses.no_content()


class Change(View):
    """POST /password/change."""

    permission_classes = [SignedIn]

    @extend_schema(request=serializers.ChangePassword, responses={204: None})
    def post(self, request: Request) -> Response:
        """Set a new password with the old one. All sessions end; sign in again."""
        dependencies().profile.change_password(
            responses.account_id(request), **serializers.ChangePassword.of(request)
        )
        return responses.no_content()


class Verify(View):
    """POST /email/verify."""

    permission_classes = [Public]

    @extend_schema(request=serializers.Token, responses={204: None})
    def post(self, request: Request) -> Response:
        """Confirm the address with the token of the mail, once."""
        dependencies().recovery.verify(serializers.Token.of(request)["token"])
        return responses.no_content()
