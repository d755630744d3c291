"""Who is signed in, as Django's admin wants to see it: a model, but one that is never stored."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

#: Django's verbs, and the permission of the suite that stands behind each.
VERBS = {"view": "read", "add": "write", "change": "write", "delete": "write"}


class StaffUser(models.Model):
    """A member of staff, made from an access token for one request. Its permissions are the token's."""

    id = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    is_active = True
    is_staff = True
    is_anonymous = False
    is_authenticated = True

    # Filled per request by signon.py: the principal of the token, and the token to pass on to services.
    principal: Any = None
    token: str | None = None

    class Meta:
        managed = False
        verbose_name = "member of staff"
        verbose_name_plural = "staff"

    def __str__(self) -> str:
        return self.name or self.email or self.id

    def get_username(self) -> str:
        """Shown in the bar and in histories."""
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    def get_full_name(self) -> str:
        """Nothing: the account has one name, and stock templates show both."""
        return ""

    @property
    def permissions(self) -> frozenset[str]:
        """Return permissions such as "catalog.product.write"; none for one who is only named somewhere."""
        return frozenset(self.principal.permissions) if self.principal else frozenset()

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        """Return True if the person holds the permission.

        It may be the suite's `<service>.<resource>.<read|write>`, or Django's `<app>.<verb>_<model>` as its
        templates ask.
        """
        if permission in self.permissions:
            return True
        verb, _, noun = permission.partition(".")[2].partition("_")
        return f"{settings.SERVICE}.{noun}.{VERBS.get(verb, '-')}" in self.permissions

    def has_perms(self, permissions: list[str], obj: Any = None) -> bool:
        return all(self.has_perm(permission, obj) for permission in permissions)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether there is anything in this service's admin for this person."""
        return any(permission.startswith(f"{settings.SERVICE}.") for permission in self.permissions)
