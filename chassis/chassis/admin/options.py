"""Django's ModelAdmin over documents.

It reads from the repository, and writes through services.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import flatten_fieldsets
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from chassis.ids import new_id

from .auditing import AuditedAdmin
from .expected_errors import REFUSALS, reason_of
from .forms import VERSION, DocumentForm, DocumentFormSet, StaleVersion
from .inlines import Inlines
from .models_factory import DocumentModel, is_field


class DocumentAdmin(AuditedAdmin):
    """See `chassis.admin` for how it is used. Permissions are `<service>.<noun>.read` and `.write`."""

    noun = ""
    has_add = True
    has_change = True
    has_delete = True
    form_parts: Mapping[str, Inlines] = {}
    #: Exceptions of the service whose text is shown beside the form (besides ValidationError and API
    #: problems).
    refusals: tuple[type[Exception], ...] = ()

    form = DocumentForm
    list_per_page = 50
    show_facets = ShowFacets.NEVER
    view_on_site = False
    sortable_by: Sequence[str] | None = None

    def __init__(self, model: type[DocumentModel], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.source = model.source
        if not self.noun:
            raise TypeError(f"{type(self).__name__} says no noun: its permissions would be empty")
        parts = {name: part.form_field(name) for name, part in self.form_parts.items()}
        self.form = type("Form", (self.form,), parts) if parts else self.form

    # -- hooks for services
    # -------------------------------------------------------------------------------------

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """Return a new aggregate from what the form said.

        A service may have stored it already; else the caller stores it.
        """
        return self.source.collection.type(id=new_id(), **values)

    def change(self, request: HttpRequest, entity: Any, values: dict[str, Any]) -> None:
        """Alter the aggregate in memory. Only what was changed in the form is in `values`."""
        for name, value in values.items():
            column = self.source.columns.get(name)
            if column is not None and column.put is not None:
                column.put(entity, value)
            else:
                setattr(entity, name, value)

    def remove(self, request: HttpRequest, entity: Any) -> None:
        """Delete the aggregate.

        What has an outbox must not be removed, so such an aggregate overrides this with what deletion means.
        """
        self.source.repository().delete(entity)

    def search(self, request: HttpRequest, term: str) -> list[str] | None:
        """Ids that match, best first, for a service with an index of its own; None: walk `search_fields`."""
        return None

    def store(
        self, request: HttpRequest, entity_id: str, values: dict[str, Any], version: int, note: Any
    ) -> Any:
        """Write a change: compare the version, change, raise it, keep the audit event, all in one write."""

        def write(entity: Any) -> None:
            if getattr(entity, "version", version) != version:
                raise StaleVersion
            self.change(request, entity, values)
            if getattr(entity, "version", None) == version:
                entity.version += 1
            note(entity)

        return self.source.repository().update(entity_id, write)

    # -- permissions
    # --------------------------------------------------------------------------------------------

    def _holds(self, request: HttpRequest, verb: str) -> bool:
        noun = self.noun if "." in self.noun else f"{settings.SERVICE}.{self.noun}"
        return request.user.has_perm(f"{noun}.{verb}")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, "read") or self._holds(request, "write")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_add and self._holds(request, "write")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change and self._holds(request, "write")

    def has_write_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For actions of aggregates whose form is closed: `@admin.action(permissions=["write"])`."""
        return self._holds(request, "write")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        possible = not self.source.has_outbox or type(self).remove is not DocumentAdmin.remove
        return self.has_delete and possible and self._holds(request, "write")

    # -- forms
    # --------------------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return self._with_late_error(request, form)

    def _with_late_error(self, request: HttpRequest, form: Any) -> Any:
        form.late_pk, form.late_error = getattr(request, "late", (None, None))
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the hidden version to each form of an existing object; who may only look sees no inputs."""
        fieldsets = [(title, dict(options)) for title, options in super().get_fieldsets(request, obj)]
        editing = obj is not None and self.has_change_permission(request, obj)
        left_out = {VERSION} if obj is None or editing else {VERSION} | self._inputs_only()
        for _, options in fieldsets:
            options["fields"] = [name for name in options["fields"] if name not in left_out]
        if editing:
            fieldsets[0][1]["fields"].append(VERSION)
        return fieldsets

    def _inputs_only(self) -> set[str]:
        """Fields that the form declares by itself and that have nothing behind them to show."""
        return {name for name in self.form.declared_fields if not hasattr(self.model, name)}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """As declared, and what cannot be edited anyway: computed columns and nested parts."""
        declared = list(super().get_readonly_fields(request, obj))
        named = flatten_fieldsets(self.fieldsets) if self.fieldsets else list(self.fields or ())
        return declared + [name for name in named if name not in declared and self._is_fixed(name)]

    def _is_fixed(self, name: str) -> bool:
        if name in self.form.declared_fields:
            return False
        if is_field(self.model, name):
            return not self.model._meta.get_field(name).editable
        return True

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        form = super().get_changelist_form(request, **{"form": DocumentForm, **kwargs})
        return self._with_late_error(request, form)

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_formset(request, **{"formset": DocumentFormSet, **kwargs})

    # -- lists
    # --------------------------------------------------------------------------------------------------

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        """Where nothing is said: the fields by which an index starts."""
        if self.sortable_by is not None:
            return self.sortable_by
        starts = {index.fields[0] for index in self.source.collection.indexes if index.fields}
        return [name for name, column in self.source.columns.items() if column.path in starts]

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        has_own = type(self).search is not DocumentAdmin.search
        return self.search_fields or (["id"] if has_own else [])

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        ids = self.search(request, search_term) if search_term else None
        if ids is not None:
            return queryset.filter(pk__in=ids), False
        return super().get_search_results(request, queryset, search_term)

    # -- writes
    # -------------------------------------------------------------------------------------------------

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._render_with_error(request, partial(super().changeform_view, request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._render_with_error(request, partial(super().changelist_view, request, *args, **kwargs))

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Show why an action is refused; it is never run twice."""
        try:
            return super().response_action(request, queryset)
        except self._refusable() as error:
            self.message_user(request, reason_of(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except self._refusable() as error:
            self.message_user(request, reason_of(error), messages.ERROR)
            return HttpResponseRedirect("../change/")

    def _refusable(self) -> tuple[type[Exception], ...]:
        return (*REFUSALS, *self.refusals)

    def _render_with_error(self, request: HttpRequest, view: Any) -> HttpResponse:
        """Show the form again after a write that is refused late, with the reason and all that was typed."""
        try:
            return view()
        except StaleVersion:
            return view()  # the form now finds the newer version by itself
        except self._refusable() as error:
            reason = error if isinstance(error, forms.ValidationError) else reason_of(error)
            request.late = (getattr(request, "late_pk", None), forms.ValidationError(reason))
        return view()

    def save_model(self, request: HttpRequest, obj: DocumentModel, form: Any, change: bool) -> None:
        """Hand what was typed to create or store; nothing is written when nothing was changed."""
        message = LogEntry(
            change_message=_json(self.construct_change_message(request, form, [], not change))
        ).get_change_message()
        values = self._values(form, form.changed_data if change else list(form.cleaned_data))
        request.late_pk = obj.pk or None
        if not change:
            self._show(obj, self._created(request, values, message))
        elif values:
            note = partial(self.note, request, action="change", message=message)
            version = form.cleaned_data.get(VERSION)
            self._show(
                obj, self.store(request, obj.pk, values, obj.version if version is None else version, note)
            )
        obj.noted = True

    def _values(self, form: Any, names: list[str]) -> dict[str, Any]:
        columns = self.source.columns
        values = {}
        for name in names:
            if name in self.form_parts:
                values[name] = form.cleaned_data[name]
            elif name in columns and columns[name].put is not None:
                values[name] = columns[name].stored(form.cleaned_data[name])
            elif name in form.base_fields and name != VERSION and name not in columns:
                values[name] = form.cleaned_data[name]
        return values

    def _created(self, request: HttpRequest, values: dict[str, Any], message: str) -> Any:
        entity = self.create(request, values)
        if entity.rev:
            self._note_later(request, entity.id, "add", message)
            return self.source.repository().get(entity.id)
        if getattr(entity, "version", 1) == 0:
            entity.version = 1
        self.note(request, entity=entity, action="add", message=message)
        return self.source.repository().add(entity)

    @staticmethod
    def _show(obj: DocumentModel, entity: Any) -> None:
        obj.entity, obj.id, obj.version = entity, entity.id, getattr(entity, "version", 0)

    def delete_model(self, request: HttpRequest, obj: DocumentModel) -> None:
        self.remove(request, obj.entity)
        self._note_later(request, obj.pk, "delete", "")

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Documents hang on nothing: what is deleted is what was chosen."""
        shown = [str(obj) for obj in objs]
        missing = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        return shown, {str(self.opts.verbose_name_plural): len(shown)}, missing, []


def _json(message: Any) -> str:
    return message if isinstance(message, str) else json.dumps(message)
