"""The use cases of checkout.

Repositories, service clients and the payment provider are passed to their constructors.
"""

from .erasure import anonymise_orders
from .order_mail import Mail, Mailer, OrderMailService
from .order_service import OrderFilter, OrderService, Viewer
from .place_order import PlacedOrder, PlaceOrder, PlaceOrderCommand
from .ports import (
    Cart,
    Carts,
    Catalog,
    Correction,
    DependencyUnavailable,
    ExpectedReservation,
    ReservationStatus,
    RuleViolation,
    Sku,
    StockSnapshot,
)
from .pricing import Basket, PricedBasket, Pricing
from .reconciliation import Finding, Reconciler, Report
from .recovery import OrderRecovery
from .saga import Saga

__all__ = [
    "Basket",
    "Cart",
    "Carts",
    "Catalog",
    "Correction",
    "DependencyUnavailable",
    "ExpectedReservation",
    "Finding",
    "Mail",
    "Mailer",
    "OrderFilter",
    "OrderMailService",
    "OrderRecovery",
    "OrderService",
    "PlaceOrder",
    "PlaceOrderCommand",
    "PlacedOrder",
    "PricedBasket",
    "Pricing",
    "Reconciler",
    "Report",
    "ReservationStatus",
    "RuleViolation",
    "Saga",
    "Sku",
    "StockSnapshot",
    "Viewer",
    "anonymise_orders",
]
