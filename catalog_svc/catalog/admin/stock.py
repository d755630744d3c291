"""Admin of stock: counts are edited through the services, reservations are read-only."""

from __future__ import annotations

from typing import Any

from django.db import models

from catalog import repositories
from catalog.admin.shared import require_version
from catalog.container import dependencies
from catalog.domain import RuleViolation, Stock
from chassis.admin import Column, DocumentAdmin, document_model, register

StockModel = document_model(
    repositories.STOCK,
    lambda: dependencies().stock_documents,
    app_label="catalog",
    verbose_name="stock of an SKU",
    verbose_name_plural="stock",
    fields={
        "sku": Column(models.CharField(max_length=64, verbose_name="SKU"), get=lambda stock: stock.sku),
        "on_hand": models.PositiveIntegerField(help_text="units not yet sold, reserved ones included"),
        "reserved": Column(models.IntegerField(), get=lambda stock: stock.reserved),
        "available": Column(models.IntegerField(), get=lambda stock: stock.available),
        "availability": Column(models.CharField(max_length=20), get=lambda stock: str(stock.availability)),
        "held_for": Column(
            models.CharField(max_length=4000, verbose_name="reserved for"),
            get=lambda stock: (
                ", ".join(f"{id}: {hold.quantity}" for id, hold in stock.reservations.items()) or "–"
            ),
        ),
    },
    ordering=["id"],
)


@register(StockModel)
class StockAdmin(DocumentAdmin):
    noun = "stock"
    has_add = has_delete = False  # it comes with its product
    refusals = (RuleViolation,)
    list_display = ["sku", "on_hand", "reserved", "available", "availability", "product_id"]
    list_display_links = ["sku"]
    list_editable = ["on_hand"]
    search_help_text = "an SKU or a product's id, whole"
    fields = ["sku", "product_id", "on_hand", "reserved", "available", "availability", "held_for"]
    readonly_fields = ["product_id"]

    def search(self, request: Any, term: str) -> list[str] | None:
        term = term.strip()
        of_product = dependencies().stock_documents.find("product", {"product_id": term}, limit=100)
        return [term, *(stock.id for stock in of_product)]

    def store(self, request: Any, entity_id: str, values: dict[str, Any], version: int, note: Any) -> Stock:
        return dependencies().stock.set_on_hand(
            sku=entity_id, on_hand=values["on_hand"], check_version=require_version(version), add_audit=note
        )
