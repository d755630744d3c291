"""The collections of this service: databases, schemas, indexes and views."""

from collections.abc import Iterator
from typing import Any

from chassis.couch import Collection, Index, View

from .domain import Order
from .provider.ledger import LedgerEntry
from .upgraders import apportion_refunds, name_tax_rates

Document = dict[str, Any]


def _sales(document: Document) -> Iterator[tuple[str, int]]:
    """Map a document like the "sales" view below, for the in-memory repository."""
    if document.get("type") == "order" and document.get("status") == "confirmed":
        yield document["placed_at"][:10], document["totals"]["total"]["amount"]


ORDERS = Collection(
    database="orders",
    kind="order",
    type=Order,
    schema=3,
    upgraders={1: name_tax_rates, 2: apportion_refunds},
    indexes=(
        Index("placed", ("placed_at",)),
        Index("status", ("status", "placed_at")),
        Index("email", ("email", "placed_at")),
        Index("email_status", ("email", "status", "placed_at")),
        Index("account", ("account_id", "accepted", "placed_at")),
        Index("wake", ("wake_at",)),
        Index("stuck", ("stuck", "wake_at")),
    ),
    views=(
        View(
            "sales",  # [day] -> {sum: minor units, count: orders}
            'function (doc) { if (doc.type === "order" && doc.status === "confirmed")'
            " emit(doc.placed_at.slice(0, 10), doc.totals.total.amount); }",
            "_stats",
            mapper=_sales,
        ),
    ),
)
LEDGER = Collection(database="payments", kind="payment", type=LedgerEntry)
