"""JSON of domain objects, and responses that must not be cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain import Account, Address
from accounts.services import TokenPair
from accounts.services.staff import user_fields
from chassis.api.errors import NotAuthenticated
from chassis.couch.codec import to_text
from chassis.identity import Principal

#: Responses with tokens or personal data must not be cached.
PRIVATE = {"Cache-Control": "no-store"}


def account_id(request: Request) -> str:
    """Return the account id of the token."""
    return str(cast(Principal, request.user).id)


def user(account: Account) -> dict[str, Any]:
    """Return the JSON of a user."""
    return plain_user(user_fields(account))


def plain_user(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "created_at": to_text(fields["created_at"])}


def pair(made: TokenPair) -> dict[str, Any]:
    return asdict(made)


def address(one: Address) -> dict[str, Any]:
    return asdict(one)


def private(data: Any, status: int = 200) -> Response:
    """Return a response that no cache may store."""
    return Response(data, status=status, headers=PRIVATE)


def no_content() -> Response:
    return Response(status=204, headers=PRIVATE)


def no_session() -> NotAuthenticated:
    return NotAuthenticated("session-ended", "There is no such session, or it has ended.")
