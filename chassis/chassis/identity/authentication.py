"""From headers to a Principal."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chassis.identity import tokens
from chassis.identity.principal import Principal

_log = logging.getLogger("chassis.identity")


class TokenAuthentication(BaseAuthentication):
    """A person's token in Authorization, a service's in X-Service-Token; either, both or none.

    A token that is there and not good is a 401 even on a public view: its sender believed to be somebody.
    """

    def authenticate(self, request: Request) -> tuple[Principal, str | None] | None:
        bearer = _bearer(request.META.get("HTTP_AUTHORIZATION"))
        service_token = request.META.get("HTTP_X_SERVICE_TOKEN")
        if bearer is None and not service_token:
            return None
        service = _checked(tokens.verify_service, service_token, settings.SERVICE) if service_token else None
        if bearer is None:
            return Principal(kind="service", id=service or "", service=service), service_token
        return user_principal(_checked(tokens.verify_access, bearer), bearer, service), bearer

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="hivemart"'


def user_principal(claims: dict[str, Any], token: str | None, service: str | None = None) -> Principal:
    """Return the person whom the checked claims of an access token describe."""
    return Principal(
        kind="user",
        id=str(claims["sub"]),
        roles=tuple(claims.get("roles", ())),
        permissions=frozenset(claims.get("permissions", ())),
        email_verified=claims.get("email_verified") is True,
        token=token,
        service=service,
    )


def _bearer(header: str | None) -> str | None:
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationFailed("Authorization takes a Bearer token.", code="bad-token")
    return token.strip()


def _checked(verify: Any, *args: Any) -> Any:
    try:
        return verify(*args)
    except tokens.BadToken as error:
        _log.info("token refused: %s", error)
        raise AuthenticationFailed("The token is not valid, or has ended.", code="bad-token") from error
