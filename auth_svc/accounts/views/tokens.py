"""Views of registration, sign-in, refresh, and the public keys."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import serializers
from accounts.container import dependencies
from chassis.api.throttling import Limit, by_address
from chassis.api.views import View
from chassis.identity import FromService, Public

from . import responses

STAFF_ADMINS = ("auth", "autoscale", "cart", "catalog", "checkout", "logs", "reco")


def _per_address(name: str) -> type:
    return by_address(Limit(name, rate=settings.AUTH_RATE, burst=settings.AUTH_RATE))


class Register(View):
    """POST /register."""

    permission_classes = [Public]
    throttle_classes = [_per_address("register")]

    @extend_schema(request=serializers.Register, responses={201: serializers.RegisterResponse})
    def post(self, request: Request) -> Response:
        """Create a customer account and sign in. 409 for a taken address."""
        account = dependencies().registration.register(**serializers.Register.of(request))
        pair = dependencies().signin.begin(account)
        return responses.private({"user": responses.user(account), **responses.pair(pair)}, 201)


class Token(View):
    """POST /token."""

    permission_classes = [Public]
    throttle_classes = [_per_address("log-in")]

    @extend_schema(request=serializers.SignIn, responses=serializers.PairResponse)
    def post(self, request: Request) -> Response:
        """Sign in. 401 reveals neither what was wrong nor whether the account exists."""
        body = serializers.SignIn.of(request)
        return responses.private(
            responses.pair(dependencies().signin.sign_in(email=body["email"], password=body["password"]))
        )


class Refresh(View):
    """POST /token/refresh."""

    permission_classes = [Public]

    @extend_schema(request=serializers.Refresh, responses=serializers.PairResponse)
    def post(self, request: Request) -> Response:
        """Return the next tokens.

        The same token gets the same successor for 10 s; later it ends the whole family.
        """
        return responses.private(
            responses.pair(dependencies().signin.refresh(serializers.Refresh.of(request)["refresh"]))
        )


class Revoke(View):
    """POST /token/revoke."""

    permission_classes = [Public]

    @extend_schema(request=serializers.Refresh, responses={204: None})
    def post(self, request: Request) -> Response:
        """Sign out: end the token's family."""
        dependencies().signin.revoke(serializers.Refresh.of(request)["refresh"])
        return responses.no_content()


class Jwks(View):
    """GET /.well-known/jwks.json."""

    permission_classes = [Public]

    @extend_schema(responses=serializers.KeySet)
    def get(self, request: Request) -> Response:
        """Return the public keys of access tokens: the current one and the next."""
        return Response(dependencies().access.jwks(), headers={"Cache-Control": "public, max-age=60"})


class StaffToken(View):
    """POST /internal/sessions/token."""

    permission_classes = [FromService(*STAFF_ADMINS)]

    @extend_schema(request=serializers.Session, responses=serializers.Exchange)
    def post(self, request: Request) -> Response:
        """Return an access token for a live staff session, 401 otherwise."""
        found = dependencies().staff.exchange(serializers.Session.of(request)["session"])
        if found is None:
            raise responses.no_session()
        return responses.private({**found, "user": responses.plain_user(found["user"])})
