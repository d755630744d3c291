"""Admin pages of auth_svc: accounts with roles and sessions, and dead letters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from chassis.admin import Card, Column, DocumentAdmin, Table, document_model, mail_card, register, site
from chassis.admin.dead_letters import letters_of, register_dead_letters
from chassis.admin.forms import DocumentForm
from chassis.clock import now
from chassis.couch import NotFound
from chassis.identity.permissions_catalogue import ROLES

from . import container, pages, repositories
from .domain import Account
from .domain.account import CUSTOMER

site.login_view = pages.login
site.logout_view = pages.logout

STAFF_ROLES = [role for role in ROLES if role != CUSTOMER]

AccountModel = document_model(
    repositories.ACCOUNTS,
    lambda: container.dependencies().accounts,
    app_label="accounts",
    verbose_name="account",
    fields={
        "role_names": Column(
            models.CharField("roles", max_length=200),
            get=lambda account: ", ".join(r for r in account.roles if r != CUSTOMER),
        ),
    },
    ordering=["-created_at"],
)


class RoleFilter(admin.SimpleListFilter):
    """A filter by role; roles are a list in the document, so the filter searches their text."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role, role.capitalize()) for role in STAFF_ROLES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(role_names__contains=self.value()) if self.value() in STAFF_ROLES else queryset


class AccountForm(DocumentForm):
    """The form of an account, with a checkbox per role."""

    staff_roles = forms.MultipleChoiceField(
        choices=[(role, role.capitalize()) for role in STAFF_ROLES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Roles",
        help_text="Beside being a customer. Staff reach the admins; a change bites within a minute.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.entity is not None:
            self.initial["staff_roles"] = [role for role in self.instance.entity.roles if role != CUSTOMER]


@register(AccountModel)
class AccountAdmin(DocumentAdmin):
    """Accounts; people register or use `manage.py create_staff`, and erase their own accounts."""

    noun = "account"
    has_add = False
    has_delete = False
    form = AccountForm
    list_display = ["email", "name", "role_names", "email_verified", "active", "created_at"]
    list_filter = [RoleFilter, "active", "email_verified", "created_at"]
    search_fields = ["email", "name", "^id"]
    sortable_by = ["created_at", "email"]
    readonly_fields = ["email", "created_at", "email_verified", "signed_out_at", "erased_at", "role_names"]
    fieldsets = [
        (None, {"fields": ["email", "name", "active", "staff_roles"]}),
        ("About", {"fields": ["created_at", "email_verified", "signed_out_at", "erased_at", "addresses"]}),
    ]
    actions = ["deactivate", "activate", "end_sessions"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return checkboxes for roles if the user may set them, else the roles as text."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self._may_set_roles(request, obj):
            fields = fieldsets[0][1]["fields"]
            fieldsets[0][1]["fields"] = ["role_names" if name == "staff_roles" else name for name in fields]
        return fieldsets

    def _may_set_roles(self, request: HttpRequest, obj: Any) -> bool:
        return request.user.has_perm("auth.role.write") and self.has_change_permission(request, obj)

    def change(self, request: HttpRequest, entity: Account, values: dict[str, Any]) -> None:
        _refuse_own_access(request, entity, values)
        if "name" in values:
            entity.rename(values["name"])
        if "staff_roles" in values and request.user.has_perm("auth.role.write"):
            entity.set_roles(tuple(values["staff_roles"]))
        if values.get("active") is True:
            entity.activate()
        if values.get("active") is False:
            entity.deactivate(now())

    @admin.action(description="Deactivate selected accounts", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        self._apply_to_each(request, queryset, "Deactivated.", lambda account: account.deactivate(now()))

    @admin.action(description="Activate selected accounts", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: Any) -> None:
        self._apply_to_each(request, queryset, "Activated.", lambda account: account.activate())

    @admin.action(description="End all sessions of selected accounts", permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: Any) -> None:
        self._apply_to_each(
            request, queryset, "Ended all sessions.", lambda account: account.sign_out_everywhere(now())
        )

    def _apply_to_each(self, request: HttpRequest, queryset: Any, what: str, act: Any) -> None:
        """Apply ``act`` to each selected account except one's own, one audited write per account."""

        def write(account: Account) -> None:
            act(account)
            self.note(request, account, action="change", message=what)

        chosen = [row.pk for row in queryset if row.pk != request.user.id]
        for id in chosen:
            try:
                container.dependencies().accounts.update(id, write)
            except NotFound:
                continue
        self.message_user(request, f"{what} ({len(chosen)})", messages.SUCCESS)


register_dead_letters(container.RELAY, app_label="accounts", noun="account")


def _refuse_own_access(request: HttpRequest, account: Account, values: dict[str, Any]) -> None:
    if account.id == request.user.id and {"active", "staff_roles"} & values.keys():
        raise ValidationError("You cannot take away your own access; ask a colleague.")
    if account.erased_at is not None:
        raise ValidationError("This account was erased; there is nothing left to change.")


@site.dashboard
def dashboard(request: HttpRequest) -> list[Any]:
    """Return the cards of the overview: counts of accounts, dead letters, latest accounts."""
    accounts = container.dependencies().accounts
    latest = accounts.find("created", descending=True, limit=8).items
    today = accounts.find("created", start=now() - timedelta(days=1), limit=100)
    inactive = accounts.count({"active": False}, index="active")
    parked = letters_of(container.RELAY).count({"status": "parked"}, index="status")
    unverified = accounts.count({"email_verified": False}, index="verified")
    here = "/admin/auth/accounts/account/"
    return [
        Card("Accounts", accounts.count(), url=here),
        Card("New in 24 hours", f"{len(today.items)}{'+' if today.next else ''}", tone="ok"),
        Card("E-mail not verified", unverified, url=f"{here}?email_verified__exact=0"),
        Card("Deactivated", inactive, tone="warn" if inactive else "", url=f"{here}?active__exact=0"),
        mail_card(),
        Card("Dead letters", parked, note="events that a service refused", tone="bad" if parked else ""),
        Table(
            "Latest accounts",
            ["e-mail", "name", "since"],
            [[one.email or "erased", one.name, one.created_at.strftime("%Y-%m-%d %H:%M")] for one in latest],
        ),
    ]
