"""The rules of the catalogue. Standard library only."""

from catalog.domain.availability import Availability, availability_of, best
from catalog.domain.category import Category, CategoryTree
from catalog.domain.correction import How, Outcome, Truth, correct
from catalog.domain.image import IMAGE_WIDTHS, Image, ImageStatus, Rendition
from catalog.domain.money import CURRENCY, Money
from catalog.domain.names import PATTERNS, is_sku, is_slug, slugify
from catalog.domain.product import Product, ProductImage, ProductStatus, Rating, Variant
from catalog.domain.records import Claim, IndexRepair, IndexRepairs, Purchase, Review
from catalog.domain.rules import RuleBroken
from catalog.domain.stock import Finished, Hold, Released, ShortOf, Stock, UnknownReservation

__all__ = [
    "CURRENCY",
    "IMAGE_WIDTHS",
    "PATTERNS",
    "Availability",
    "Category",
    "CategoryTree",
    "Claim",
    "Finished",
    "Hold",
    "How",
    "Image",
    "ImageStatus",
    "IndexRepair",
    "IndexRepairs",
    "Money",
    "Outcome",
    "Product",
    "ProductImage",
    "ProductStatus",
    "Purchase",
    "Rating",
    "Released",
    "Rendition",
    "Review",
    "RuleBroken",
    "ShortOf",
    "Stock",
    "Truth",
    "UnknownReservation",
    "Variant",
    "availability_of",
    "best",
    "correct",
    "is_sku",
    "is_slug",
    "slugify",
]
