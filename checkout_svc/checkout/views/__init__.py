"""Views: validate the request, call one use case, return its result."""

from .challenge import TestPayment
from .order_detail import Cancel, Order
from .orders import Orders, PaymentMethods, Quotes, ShippingMethods
from .staff import Deliver, Refunds, Shipments

__all__ = [
    "Cancel",
    "Deliver",
    "Order",
    "Orders",
    "PaymentMethods",
    "Quotes",
    "Refunds",
    "Shipments",
    "ShippingMethods",
    "TestPayment",
]
