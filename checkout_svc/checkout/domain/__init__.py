"""What was bought: orders, their totals and payments. Rules only; nothing here knows of Django, HTTP or a
database."""

from .money import Money, split
from .order import Order
from .parts import (
    Answer,
    CartRef,
    FulfilmentStatus,
    Happening,
    Lease,
    NotAllowed,
    OrderStatus,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundLine,
    Shipment,
    Step,
    order_number,
)
from .payment import (
    Booked,
    NotConfigured,
    Outcome,
    Payment,
    PaymentProvider,
    PaymentRequest,
    ProviderDown,
    RefundRefused,
    UnknownPayment,
)
from .places import COUNTRIES, Address, ShippingMethod, shipping_method, shipping_methods
from .record import LEASE
from .refunds import Balance, LineBalance, RefundRequest
from .totals import Line, TaxShare, Totals, price, tax_shares

__all__ = [
    "COUNTRIES",
    "LEASE",
    "Address",
    "Answer",
    "Balance",
    "Booked",
    "CartRef",
    "FulfilmentStatus",
    "Happening",
    "Lease",
    "Line",
    "LineBalance",
    "Money",
    "NotAllowed",
    "NotConfigured",
    "Order",
    "OrderStatus",
    "Outcome",
    "Payment",
    "PaymentProvider",
    "PaymentRequest",
    "PaymentState",
    "PaymentStatus",
    "ProviderDown",
    "Refund",
    "RefundLine",
    "RefundRefused",
    "RefundRequest",
    "Shipment",
    "ShippingMethod",
    "Step",
    "TaxShare",
    "Totals",
    "UnknownPayment",
    "order_number",
    "price",
    "shipping_method",
    "shipping_methods",
    "split",
    "tax_shares",
]
