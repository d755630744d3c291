"""JSON of orders and totals for API responses."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .domain import Address, Line, Money, Order, PaymentStatus, Refund, Shipment, ShippingMethod, Totals

Json = dict[str, Any]


def money(value: Money) -> Json:
    return {"amount": value.amount, "currency": value.currency}


def totals(value: Totals) -> Json:
    """Return the JSON of ``value``.

    ``rate`` is a fraction, 0.21 for 21 %; it is None if ``taxes`` has several rates.
    """
    return {
        "subtotal": money(value.subtotal),
        "discount": money(value.discount),
        "shipping": money(value.shipping),
        "tax": {"amount": money(value.tax), "rate": _fraction(value.single_rate), "included": True},
        "taxes": [
            {
                "rate": _fraction(share.rate),
                "base": money(share.base),
                "amount": money(share.amount),
                "country": share.country,
            }
            for share in value.taxes
        ],
        "total": money(value.total),
    }


def _fraction(basis_points: int | None) -> float | None:
    return None if basis_points is None else basis_points / 10_000


def shipping_method(value: ShippingMethod) -> Json:
    return {**asdict(value), "price": money(value.price)}


def order(value: Order, token: str = "") -> Json:
    """Return the JSON of an order.

    ``token`` is the guest's access token; pass it only when answering the guest who placed the order.
    """
    shown: Json = {
        "number": value.id,
        "status": value.status.value,
        "placed_at": value.placed_at,
        "email": value.email,
        "lines": [_line(line) for line in value.lines],
        "totals": totals(value.totals),
        "payment": _payment(value),
        "fulfilment": {
            "status": value.fulfilment.value,
            "shipments": [_shipment(shipment) for shipment in value.shipments],
        },
        "refunds": [_refund(refund) for refund in value.refunds if not refund.failure],
        "timeline": [{"at": entry.at, "what": entry.what} for entry in value.timeline],
        "shipping_method": value.shipping_method,
        "shipping_address": _address(value.shipping_address),
        "billing_address": _address(value.billing_address) if value.billing_address else None,
    }
    return {**shown, "access_token": token} if token else shown


def _line(line: Line) -> Json:
    return {
        "sku": line.sku,
        "product_id": line.product_id,
        "title": line.title,
        "slug": line.slug,
        "image": line.image,
        "attributes": line.attributes,
        "quantity": line.quantity,
        "unit_price": money(line.unit_price),
        "line_total": money(line.line_total),
    }


def _payment(value: Order) -> Json:
    payment = value.payment
    shown: Json = {"status": payment.status.value, "method": payment.method, "last4": payment.last4 or None}
    if payment.status is PaymentStatus.REQUIRES_ACTION and payment.next_action:
        shown["next_action"] = {"type": "redirect", "url": payment.next_action}
    return shown


def _shipment(shipment: Shipment) -> Json:
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in shipment.lines.items()]
    return {
        "id": shipment.id,
        "at": shipment.at,
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
        "lines": lines,
    }


def _refund(refund: Refund) -> Json:
    """Return the JSON of a refund, without its reason, which only staff see in the admin."""
    lines = [
        {"sku": line.sku, "quantity": line.quantity, "amount": money(line.amount)} for line in refund.lines
    ]
    return {
        "at": refund.at,
        "amount": money(refund.amount),
        "lines": lines,
        "shipping": money(refund.shipping),
        "status": "pending" if refund.is_open else "done",
    }


def _address(value: Address) -> Json:
    return asdict(value)
