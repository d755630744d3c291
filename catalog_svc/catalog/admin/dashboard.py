"""What needs a hand: stock that runs out, pictures that failed."""

from __future__ import annotations

from typing import Any

from catalog.domain import ImageStatus, ProductStatus
from catalog.domain.availability import LOW_STOCK
from catalog.wiring import parts
from chassis.admin import Card, Table, site

_SHOWN = 15


@site.dashboard
def dashboard(request: Any) -> list[Any]:
    found = parts()
    low = found.stock_documents.rows("available", end=LOW_STOCK, limit=200)
    failed = found.image_documents.find(
        "status", {"status": ImageStatus.FAILED}, descending=True, limit=_SHOWN
    )
    out = sum(1 for row in low if row.key <= 0)
    return [
        Card(
            "Products for sale",
            found.product_documents.count({"status": ProductStatus.ACTIVE}, index="status"),
            url="/admin/catalog/catalog/product/",
        ),
        Card(
            "Out of stock", out, note="SKUs", tone="bad" if out else "ok", url="/admin/catalog/catalog/stock/"
        ),
        Card(
            "Low stock", len(low) - out, note=f"SKUs, {LOW_STOCK} or fewer left", tone="warn" if low else "ok"
        ),
        Card(
            "Pictures that failed",
            found.image_documents.count({"status": ImageStatus.FAILED}, index="status"),
            tone="warn" if failed.items else "ok",
            url="/admin/catalog/catalog/image/?status__exact=failed",
        ),
        Table(
            "Stock alerts",
            ["SKU", "available"],
            [[row.id.partition(":")[2], row.key] for row in low[:_SHOWN]],
        ),
        Table(
            "Failed pictures",
            ["picture", "product", "why"],
            [[image.id, image.product_id, image.reason] for image in failed.items],
        ),
    ]
