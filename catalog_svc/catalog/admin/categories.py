"""Admin of categories."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpResponseRedirect
from django.urls import reverse

from catalog import repositories
from catalog.admin.shared import category_field, require_version
from catalog.container import dependencies
from catalog.domain import Category, RuleViolation, is_slug
from chassis.admin import Column, DocumentAdmin, document_model, register

CategoryModel = document_model(
    repositories.CATEGORIES,
    lambda: dependencies().category_documents,
    app_label="catalog",
    verbose_name="category",
    verbose_name_plural="categories",
    fields={
        "title": models.CharField(max_length=100),
        "position": models.PositiveIntegerField(default=0, blank=True, help_text="small numbers come first"),
        "slug": Column(
            models.CharField(max_length=100, blank=True, help_text="in the address; made of the title"),
            get=lambda category: category.id,
            put=lambda category, slug: None,  # it never changes; `create` takes it
        ),
    },
    ordering=["title"],
)


@register(CategoryModel)
class CategoryAdmin(DocumentAdmin):
    noun = "category"
    refusals = (RuleViolation,)
    list_display = ["title", "slug", "parent", "position"]
    search_fields = ["title"]
    fields = ["title", "slug", "parent", "position"]

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).filter(deleted=False)

    def get_readonly_fields(self, request: Any, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), *(["slug"] if obj is not None else [])]

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "parent":
            return category_field(required=False, empty="(top)")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def create(self, request: Any, values: dict[str, Any]) -> Category:
        if values.get("slug") and not is_slug(values["slug"]):
            raise forms.ValidationError("A slug has small letters, digits and single dashes.")
        wanted = {
            name: value for name, value in values.items() if name in ("title", "slug", "parent", "position")
        }
        return dependencies().categories.create(fields={**wanted, "position": wanted.get("position") or 0})

    def store(
        self, request: Any, entity_id: str, values: dict[str, Any], version: int, note: Any
    ) -> Category:
        return dependencies().categories.update(
            slug=entity_id, changes=values, check_version=require_version(version), add_audit=note
        )

    def remove(self, request: Any, entity: Category) -> None:
        dependencies().categories.remove(slug=entity.id)

    def delete_view(self, request: Any, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except RuleViolation as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:catalog_category_change", args=[object_id]))

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        for row in queryset:
            try:
                self.delete_model(request, row)
            except RuleViolation as refusal:
                self.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)
