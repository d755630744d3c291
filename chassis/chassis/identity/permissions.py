"""Who may call a view. Default deny: a view that names none of these fails the build.

permission_classes = [Public]
permission_classes = [Staff("catalog.product.write")]
permission_classes = [ByMethod(GET=Public, POST=Staff("catalog.product.write"))]
permission_classes = [SignedIn | FromService("checkout")]
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from chassis.identity.permissions_catalogue import PERMISSIONS
from chassis.identity.principal import principal_of


class Permission(BasePermission):
    """Base of all; `&`, `|` and `~` combine them."""

    for_services = False  # whether only services get through: what an internal route must have


class Public(Permission):
    """Anybody. A bad token is still refused with 401, as it was meant to say something."""


class SignedIn(Permission):
    """A person with a valid access token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return principal_of(request).kind == "user"


class DenyAll(Permission):
    """Nobody: what a view has that names nothing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


@cache
def Staff(*names: str) -> type[Permission]:  # noqa: N802  # reads as the class that it makes
    """Admits a person who holds all of these permissions.

    A name outside of the catalogue is a programming error.
    """
    unknown = [name for name in names if name not in PERMISSIONS]
    if unknown or not names:
        raise ValueError(f"not in chassis.identity.permissions_catalogue: {unknown or 'nothing named'}")
    needed = frozenset(names)

    class StaffPermission(Permission):
        required = needed

        def has_permission(self, request: Request, view: Any) -> bool:
            return principal_of(request).may(*needed)

    StaffPermission.__name__ = StaffPermission.__qualname__ = f"Staff({', '.join(names)})"
    return StaffPermission


@cache
def FromService(*names: str) -> type[Permission]:  # noqa: N802  # reads as the class that it makes
    """One of these services, proven by its X-Service-Token."""
    if not names:
        raise ValueError("FromService() names the callers, one by one")
    callers = frozenset(names)

    class FromServicePermission(Permission):
        for_services = True

        def has_permission(self, request: Request, view: Any) -> bool:
            return principal_of(request).service in callers

    FromServicePermission.__name__ = FromServicePermission.__qualname__ = f"FromService({', '.join(names)})"
    return FromServicePermission


def ByMethod(**by_method: Any) -> type[Permission]:  # noqa: N802  # reads as the class that it makes
    """One permission per HTTP method, None denied: ByMethod(GET=Public, POST=SignedIn). HEAD follows GET."""
    table = {method.upper(): permission for method, permission in by_method.items()}
    if "GET" in table:
        table.setdefault("HEAD", table["GET"])

    class ByMethodPermission(Permission):
        methods = table

        def has_permission(self, request: Request, view: Any) -> bool:
            permission = table.get(request.method or "", DenyAll)
            return bool(permission().has_permission(request, view))

        def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
            permission = table.get(request.method or "", DenyAll)
            return bool(permission().has_object_permission(request, view, obj))

    ByMethodPermission.__name__ = ByMethodPermission.__qualname__ = f"ByMethod({', '.join(table)})"
    return ByMethodPermission
