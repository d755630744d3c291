"""Dashboard cards: stock that runs out, images that failed, repairs of the search index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.html import format_html

from catalog.container import dependencies
from catalog.domain import ImageStatus, IndexRepairs, ProductStatus
from catalog.domain.availability import LOW_STOCK
from chassis import clock
from chassis.admin import Card, Table, site
from chassis.admin.widgets import plain

_SHOWN = 15
#: Time for which a repair shows in the warning tone.
_NEWS = timedelta(days=1)


@site.dashboard
def dashboard(request: Any) -> list[Any]:
    found = dependencies()
    low = found.stock_documents.rows("available", end=LOW_STOCK, limit=200)
    failed = found.image_documents.find(
        "status", {"status": ImageStatus.FAILED}, descending=True, limit=_SHOWN
    )
    repairs = found.index_repairs.latest()
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
        _repairs_card(repairs),
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
        *([_repairs_table(repairs)] if repairs.latest else []),
    ]


def _repairs_card(repairs: IndexRepairs) -> Card:
    """Return the card of index repairs, in the warning tone while the last one is new."""
    last = repairs.latest[0].at if repairs.latest else None
    is_new = last is not None and clock.now() - last < _NEWS
    note = f"last {plain(last)}" if last else "lists and search agree with the documents"
    return Card("Search index repairs", repairs.total, note=note, tone="warn" if is_new else "ok")


def _product_link(id: str) -> str:
    """Return a link to the product, or plain text for the category tree, which has no page."""
    if id == "tree":
        return "category tree"
    return format_html('<a href="/admin/catalog/catalog/product/{}/change/">{}</a>', id, id)


def _repairs_table(repairs: IndexRepairs) -> Table:
    rows = [
        [plain(one.at), _product_link(one.product_id), one.fault, one.details, one.replica]
        for one in repairs.latest[:_SHOWN]
    ]
    return Table(
        "Search index repairs",
        ["when", "product", "was", "details", "replica"],
        rows,
        note="Lists, search or prices differed from the documents and were repaired.",
        full=True,
    )
