"""HTTP: validate, make one call, show what came of it."""

from .buying import Orders, PaymentMethods, Quotes, ShippingMethods
from .challenge import TestPayment
from .reading import Cancel, Order
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
