"""Rules of orders, their totals and payments.

Nothing here depends on Django, HTTP or a database.
"""

from .address import COUNTRIES, Address
from .money import Money, split
from .order import Order
from .order_state import LEASE_DURATION
from .payment import (
    CapturedPayment,
    NotConfigured,
    Outcome,
    Payment,
    PaymentProvider,
    PaymentRequest,
    ProviderDown,
    RefundRefused,
    UnknownPayment,
)
from .refunds import Balance, LineBalance, RefundRequest
from .shipping import ShippingMethod, shipping_method, shipping_methods
from .totals import Line, TaxShare, Totals, price, tax_shares
from .value_objects import (
    CartRef,
    FulfilmentStatus,
    Lease,
    NotAllowed,
    OrderStatus,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundLine,
    Shipment,
    Step,
    StoredResponse,
    TimelineEntry,
    order_number,
)

__all__ = [
    "COUNTRIES",
    "LEASE_DURATION",
    "Address",
    "Balance",
    "CapturedPayment",
    "CartRef",
    "FulfilmentStatus",
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
    "StoredResponse",
    "TaxShare",
    "TimelineEntry",
    "Totals",
    "UnknownPayment",
    "order_number",
    "price",
    "shipping_method",
    "shipping_methods",
    "split",
    "tax_shares",
]
