"""The audit side of a DocumentAdmin.

Every staff write leaves an event in the aggregate, and the history page reads them.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from chassis.couch import NotFound

from . import audit
from .models_factory import DocumentModel, Source


class AuditedAdmin(admin.ModelAdmin):
    """Django's log entries as events of the outbox, so that an outage of logs_svc loses none."""

    source: Source
    model: type[DocumentModel]

    def note(self, request: HttpRequest, entity: Any, *, action: str, message: str) -> None:
        """Keep the audit event in the entity; the caller stores it."""
        shown = str(self.model.from_entity(entity))
        audit.note(
            request,
            entity,
            action=action,
            message=message,
            object_type=self.opts.model_name or "",
            shown=shown,
        )

    def _note_later(self, request: HttpRequest, entity_id: str, action: str, message: str) -> None:
        """Append the event by a write of its own, after a service made the change.

        The aggregate's version is not raised.
        """
        try:
            self.source.repository().update(
                entity_id, lambda entity: self.note(request, entity, action=action, message=message)
            )
        except NotFound:
            audit.log.info("staff deleted %s %s", self.opts.model_name, entity_id)

    def log_addition(self, request: HttpRequest, obj: DocumentModel, message: Any) -> None:
        if not getattr(obj, "noted", False):
            self._note_later(request, obj.pk, "add", str(message))

    def log_change(self, request: HttpRequest, obj: DocumentModel, message: Any) -> None:
        """Record the change, unless the save that Django calls this after has recorded it already."""
        if not getattr(obj, "noted", False):
            self._note_later(request, obj.pk, "change", str(message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Nothing yet: the event is kept when the deletion is."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        paginator = self.get_paginator(request, audit.history(request, obj.entity), 100)
        page = paginator.get_page(request.GET.get("p", 1))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Change history: {obj}",
            "subtitle": None,
            "action_list": page,
            "page_range": paginator.get_elided_page_range(page.number),
            "page_var": "p",
            "pagination_required": paginator.count > 100,
            "module_name": str(capfirst(self.opts.verbose_name_plural)),
            "object": obj,
            "opts": self.opts,
            "preserved_filters": self.get_preserved_filters(request),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/object_history.html", context)
