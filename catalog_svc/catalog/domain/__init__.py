"""Domain rules of the catalogue; standard library only."""

from catalog.domain.availability import Availability, availability_of, best_availability
from catalog.domain.category import Category, CategoryTree
from catalog.domain.errors import RuleViolation
from catalog.domain.image import IMAGE_WIDTHS, Image, ImageStatus, Rendition
from catalog.domain.money import CURRENCY, Money
from catalog.domain.names import PATTERNS, is_sku, is_slug, slugify
from catalog.domain.product import Product, ProductImage, ProductStatus, Rating, Variant
from catalog.domain.reconciliation import (
    ExpectedReservation,
    ReconciliationOutcome,
    ReservationStatus,
    reconcile_stock,
)
from catalog.domain.records import Claim, IndexRepair, IndexRepairs, Purchase, Review
from catalog.domain.stock import (
    FinishedReservation,
    Hold,
    InsufficientStock,
    ReservationReleased,
    Stock,
    UnknownReservation,
)

__all__ = [
    "CURRENCY",
    "IMAGE_WIDTHS",
    "PATTERNS",
    "Availability",
    "Category",
    "CategoryTree",
    "Claim",
    "ExpectedReservation",
    "FinishedReservation",
    "Hold",
    "Image",
    "ImageStatus",
    "IndexRepair",
    "IndexRepairs",
    "InsufficientStock",
    "Money",
    "Product",
    "ProductImage",
    "ProductStatus",
    "Purchase",
    "Rating",
    "ReconciliationOutcome",
    "Rendition",
    "ReservationReleased",
    "ReservationStatus",
    "Review",
    "RuleViolation",
    "Stock",
    "UnknownReservation",
    "Variant",
    "availability_of",
    "best_availability",
    "is_sku",
    "is_slug",
    "reconcile_stock",
    "slugify",
]
