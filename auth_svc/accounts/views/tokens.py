"""Registering, signing in, staying signed in, and the keys to check it with."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import serializers
from accounts.wiring import parts
from chassis.api.throttling import Limit, by_address
from chassis.api.views import View
from chassis.identity import FromService, Public

from . import answers

STAFF_ADMINS = ("auth", "autoscale", "cart", "catalog", "checkout", "logs", "reco")


def _per_address(name: str) -> type:
    return by_address(Limit(name, rate=settings.AUTH_RATE, burst=settings.AUTH_RATE))


class Register(View):
    """POST /register"""

    permission_classes = [Public]
    throttle_classes = [_per_address("register")]

    @extend_schema(request=serializers.Register, responses={201: serializers.RegisterAnswer})
    def post(self, request: Request) -> Response:
        """Become a customer, and be signed in. 409 for a taken address."""
        account = parts().registration.register(**serializers.Register.of(request))
        pair = parts().signin.begin(account)
        return answers.private({"user": answers.user(account), **answers.pair(pair)}, 201)


class Token(View):
    """POST /token"""

    permission_classes = [Public]
    throttle_classes = [_per_address("log-in")]

    @extend_schema(request=serializers.SignIn, responses=serializers.PairAnswer)
    def post(self, request: Request) -> Response:
        """Sign in. 401 says neither which was wrong nor whether the account exists."""
        body = serializers.SignIn.of(request)
        return answers.private(
            answers.pair(parts().signin.sign_in(email=body["email"], password=body["password"]))
        )


class Refresh(View):
    """POST /token/refresh"""

    permission_classes = [Public]

    @extend_schema(request=serializers.Refresh, responses=serializers.PairAnswer)
    def post(self, request: Request) -> Response:
        """A new pair. The same token within 10 s gives the same successor; later it ends the whole family."""
        return answers.private(
            answers.pair(parts().signin.refresh(serializers.Refresh.of(request)["refresh"]))
        )


class Revoke(View):
    """POST /token/revoke"""

    permission_classes = [Public]

    @extend_schema(request=serializers.Refresh, responses={204: None})
    def post(self, request: Request) -> Response:
        """Sign out: ends the token's family, if it is one."""
        parts().signin.revoke(serializers.Refresh.of(request)["refresh"])
        return answers.nothing()


class Jwks(View):
    """GET /.well-known/jwks.json"""

    permission_classes = [Public]

    @extend_schema(responses=serializers.KeySet)
    def get(self, request: Request) -> Response:
        """Public keys of access tokens: the one that signs, and the one that will."""
        return Response(parts().access.jwks(), headers={"Cache-Control": "public, max-age=60"})


class StaffToken(View):
    """POST /internal/sessions/token"""

    permission_classes = [FromService(*STAFF_ADMINS)]

    @extend_schema(request=serializers.Session, responses=serializers.Exchange)
    def post(self, request: Request) -> Response:
        """An access token for a live staff session, 401 otherwise."""
        found = parts().staff.exchange(serializers.Session.of(request)["session"])
        if found is None:
            raise answers.no_session()
        return answers.private({**found, "user": answers.plain_user(found["user"])})
