"""Admin of reviews: read and delete them."""

from __future__ import annotations

from typing import Any

from catalog import repositories
from catalog.container import dependencies
from catalog.domain import Review
from chassis.admin import DocumentAdmin, document_model, register, text

ReviewModel = document_model(
    repositories.REVIEWS,
    lambda: dependencies().review_documents,
    app_label="catalog",
    verbose_name="review",
    verbose_name_plural="reviews",
    fields={"body": text()},
    ordering=["-at"],
)


@register(ReviewModel)
class ReviewAdmin(DocumentAdmin):
    noun = "product"
    has_add = has_change = False
    list_display = ["title", "rating", "product_id", "verified_purchase", "at"]
    list_filter = ["verified_purchase", "at"]
    search_fields = ["title", "product_id"]
    fields = ["title", "rating", "body", "product_id", "account_id", "verified_purchase", "at"]

    def remove(self, request: Any, entity: Review) -> None:
        dependencies().reviews.remove(entity.id)
