"""Events of checkout, written to the order's outbox together with the change they describe."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from chassis.couch.codec import to_text
from chassis.messaging import append_event

from ..domain import Order


def append_order_event(order: Order, type: str, at: datetime) -> None:
    """Append ``order.confirmed``, ``order.cancelled`` or ``order.refunded`` to the outbox."""
    append_event(order, type=type, source="checkout", subject=order.id, data=_data(order), at=at)


def append_audit_event(order: Order, actor: str, action: str, message: str, at: datetime) -> None:
    """Append an audit event for an action of staff; do nothing if ``actor`` is empty."""
    if not actor:
        return
    data = {
        "actor": actor, "actor_name": actor, "action": action, "service": "checkout", "object_type": "order",
        "object_id": order.id, "object_repr": order.id, "message": message, "at": to_text(at),
    }  # fmt: skip
    append_event(order, type="audit.recorded", source="checkout", subject=order.id, data=data, at=at)


def _data(order: Order) -> dict[str, Any]:
    lines = [
        {
            "sku": line.sku,
            "product_id": line.product_id,
            "quantity": line.quantity,
            "unit_price": asdict(line.unit_price),
        }
        for line in order.lines
    ]
    return {
        "order_id": order.id,
        "number": order.id,
        "account_id": order.account_id,
        "session_id": order.session_id,
        "cart_id": order.cart.id if order.cart else None,
        "lines": lines,
        "total": asdict(order.totals.total),
    }
