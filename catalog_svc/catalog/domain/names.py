"""Allowed names; they become document ids and parts of addresses, so the alphabet is small."""

from __future__ import annotations

import re
import unicodedata

PATTERNS = {
    "slug": r"[a-z0-9]+(?:-[a-z0-9]+)*",
    "sku": r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
    "attribute": r"[a-z][a-z0-9_]{0,31}",
    "ident": r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}",
}
_SLUG = re.compile(PATTERNS["slug"])
_SKU = re.compile(PATTERNS["sku"])
_IDENT = re.compile(PATTERNS["ident"])
_ATTRIBUTE = re.compile(PATTERNS["attribute"])
SLUG_LENGTH = 100


def is_slug(text: str) -> bool:
    return len(text) <= SLUG_LENGTH and _SLUG.fullmatch(text) is not None


def is_sku(text: str) -> bool:
    return _SKU.fullmatch(text) is not None


def is_identifier(text: str) -> bool:
    """Return True if `text` can be the id of an order, an image or a product."""
    return _IDENT.fullmatch(text) is not None


def is_attribute(text: str) -> bool:
    return _ATTRIBUTE.fullmatch(text) is not None


def slugify(text: str) -> str:
    """Return a slug made of `text`, as `Cook's knife` -> `cooks-knife`.

    It is empty if nothing of `text` can be in a slug.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower().replace("'", ""))[:SLUG_LENGTH].strip("-")
