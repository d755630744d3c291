"""The caller of a request, as its tokens prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from rest_framework.request import Request

Kind = Literal["anonymous", "user", "service"]


@dataclass(frozen=True, slots=True)
class Principal:
    """`request.user`: nobody, a person, or a service calling for itself.

    `service` is the service that passed the call on, also when it carries a person's token.
    `token` is that person's own access token, to be forwarded.
    """

    kind: Kind = "anonymous"
    id: str = ""
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    email_verified: bool = False
    token: str | None = None
    service: str | None = None

    @property
    def is_user(self) -> bool:
        return self.kind == "user"

    @property
    def is_authenticated(self) -> bool:
        """What DRF and Django ask."""
        return self.kind != "anonymous"

    @property
    def account_id(self) -> str | None:
        """The person's account, or None for guests and services."""
        return self.id if self.kind == "user" else None

    def may(self, *permissions: str) -> bool:
        """Whether a person holds all of these permissions."""
        return self.kind == "user" and self.permissions.issuperset(permissions)

    def __repr__(self) -> str:
        return f"Principal({self.kind} {self.id or '-'} via {self.service or '-'})"  # never the token


ANONYMOUS = Principal()


def principal_of(request: Request) -> Principal:
    """`request.user`, with its type: the stubs believe that it is a Django model."""
    return cast(Principal, request.user)


def anonymous() -> Principal:
    """For DRF's UNAUTHENTICATED_USER, which wants something to call."""
    return ANONYMOUS
