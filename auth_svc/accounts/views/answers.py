"""Domain to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain import Account, Address
from accounts.services import Pair
from accounts.services.staff import shown
from chassis.api.errors import NotAuthenticated
from chassis.couch.codec import to_text
from chassis.identity import Principal

#: What holds tokens or a name is nobody's to keep.
PRIVATE = {"Cache-Control": "no-store"}


def account_id(request: Request) -> str:
    """Whose token it is."""
    return str(cast(Principal, request.user).id)


def user(account: Account) -> dict[str, Any]:
    """The user of api.md."""
    return plain_user(shown(account))


def plain_user(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "created_at": to_text(fields["created_at"])}


def pair(made: Pair) -> dict[str, Any]:
    return asdict(made)


def address(one: Address) -> dict[str, Any]:
    return asdict(one)


def private(data: Any, status: int = 200) -> Response:
    """An answer that must not be kept anywhere on the way."""
    return Response(data, status=status, headers=PRIVATE)


def nothing() -> Response:
    return Response(status=204, headers=PRIVATE)


def no_session() -> NotAuthenticated:
    return NotAuthenticated("session-ended", "There is no such session, or it has ended.")
