"""The admin of reco_svc: trainings with their quality, and models that can be restored."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db import models

from chassis.admin import Column, DocumentAdmin, document_model, register
from chassis.couch import couch_repository
from reco import dashboard, repositories  # noqa: F401 - the first shows itself
from reco.container import dependencies
from reco.report import report

TrainingModel = document_model(
    repositories.TRAININGS,
    lambda: couch_repository(repositories.TRAININGS),
    app_label="reco",
    verbose_name="training",
    verbose_name_plural="trainings",
    # A field named `events` would be taken for an outbox, which the admin hides.
    fields={
        "learned_from": Column(models.IntegerField("events"), get=lambda training: training.events),
    },
    ordering=["-requested_at"],
)
ModelModel = document_model(
    repositories.MODELS,
    lambda: couch_repository(repositories.MODELS),
    app_label="reco",
    verbose_name="model",
    verbose_name_plural="models",
    ordering=["-trained_at"],
)


class ReadOnly(DocumentAdmin):
    has_add = has_change = has_delete = False


@register(TrainingModel)
class TrainingAdmin(ReadOnly):
    noun = "training"
    list_display = [
        "id",
        "status",
        "step",
        "requested_at",
        "learned_from",
        "products",
        "seconds",
        "promoted",
        "reason",
    ]
    list_filter = ["status"]
    fields = [
        "id",
        "status",
        "step",
        "progress",
        "requested_by",
        "requested_at",
        "started_at",
        "finished_at",
        "attempt",
    ]
    actions = ["cancel"]
    change_form_template = "admin/reco/report.html"

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Show the report of a training above its fields."""
        found = self.get_object(request, object_id) if object_id else None
        widgets = report(dependencies().trainings.training_get(found.pk)) if found else []
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "widgets": widgets}
        )

    @admin.action(description="Cancel", permissions=["write"])
    def cancel(self, request, queryset):
        for training in queryset:
            try:
                dependencies().trainings.training_cancel(training.pk)
            except ValueError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, training, "Cancelled.")


@register(ModelModel)
class ModelAdmin(ReadOnly):
    noun = "model"
    list_display = ["id", "algorithm", "trained_at", "products"]
    actions = ["roll_back"]

    @admin.action(description="Serve this model again", permissions=["change"])
    def roll_back(self, request, queryset):
        chosen = list(queryset)
        if len(chosen) != 1:
            self.message_user(request, "Choose one model.", messages.ERROR)
            return
        try:
            dependencies().trainings.model_roll_back(chosen[0].pk)
        except ValueError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, chosen[0], "Put back into service.")
