"""Admin of uploaded images: the waiting ones, and the failed ones with their reasons."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models

from catalog import repositories
from catalog.container import dependencies
from chassis.admin import Column, DocumentAdmin, document_model, register

ImageModel = document_model(
    repositories.IMAGES,
    lambda: dependencies().image_documents,
    app_label="catalog",
    verbose_name="picture",
    verbose_name_plural="pictures",
    fields={
        "number": Column(models.CharField(max_length=64, verbose_name="id"), get=lambda image: image.id),
    },
    ordering=["-created_at"],
)


@register(ImageModel)
class ImageAdmin(DocumentAdmin):
    noun = "image"
    has_add = has_change = has_delete = False
    list_display = ["number", "product_id", "status", "reason", "attempts", "created_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["product_id"]
    fields = [
        "number",
        "product_id",
        "alt",
        "status",
        "reason",
        "attempts",
        "next_attempt_at",
        "created_at",
        "finished_at",
        "renditions",
    ]
    actions = ["retry"]

    @admin.action(description="Try again", permissions=["write"])
    def retry(self, request: Any, queryset: Any) -> None:
        for row in queryset:
            dependencies().images.retry(row.pk)
        self.message_user(request, "They will be tried again.")
