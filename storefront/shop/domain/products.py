"""Presentation of cards and product pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urljoin

from shop.domain.money import format_money, format_plain_amount

AVAILABILITY = {"in_stock": "In stock", "low": "Only a few left", "out": "Sold out"}
_SCHEMA_AVAILABILITY = {"in_stock": "InStock", "low": "LimitedAvailability", "out": "OutOfStock"}
#: Browsers use the first format that they know.
_FORMATS = ("avif", "webp")
_SAFE_SCHEMES = ("http://", "https://", "/")


def present_picture(image: Any, alt: str = "") -> dict[str, Any] | None:
    """Return `{src, width, height, alt, sources: [{type, srcset}], srcset}`.

    It takes `{alt, renditions}`, a single rendition or a URL. `src` is the middle rendition, in a format
    that every browser knows if there is one.
    """
    if not image:
        return None
    if isinstance(image, str):
        image = {"url": image}
    renditions = [
        r for r in image.get("renditions") or [image] if str(r.get("url", "")).startswith(_SAFE_SCHEMES)
    ]
    if not renditions:
        return None
    by_format: dict[str, list[Mapping[str, Any]]] = {}
    for rendition in sorted(renditions, key=lambda r: r.get("width") or 0):
        by_format.setdefault(_format(rendition), []).append(rendition)
    common = [name for name in by_format if name not in _FORMATS]
    base = by_format[common[0] if common else next(iter(by_format))]
    chosen = base[len(base) // 2]
    return {
        "src": chosen["url"],
        "width": chosen.get("width") or 640,
        "height": chosen.get("height") or 640,
        "alt": image.get("alt") or alt,
        "srcset": _srcset(base),
        "sources": [
            {"type": f"image/{name}", "srcset": _srcset(by_format[name])}
            for name in _FORMATS
            if name in by_format and by_format[name] is not base
        ],
        "largest": base[-1]["url"],
    }


def _format(rendition: Mapping[str, Any]) -> str:
    name = rendition.get("format") or str(rendition["url"]).rpartition(".")[2]
    return str(name).lower().removeprefix("image/")


def _srcset(renditions: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"{r['url']} {r['width']}w" for r in renditions if r.get("width"))


def product_url(slug: str) -> str:
    return f"/p/{quote(slug, safe='')}"


def category_url(slug: str) -> str:
    return f"/c/{quote(slug, safe='')}"


def present_card(raw: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Return one card of a list or shelf, from a card of the catalogue.

    The same input gives the same dictionary, so that its rendered form can be cached in it
    (templatetags/shop.py): a list page would spend half of its time on that.
    """
    return _tile(json.dumps(raw), locale)


@lru_cache(maxsize=2048)
def _tile(text: str, locale: str) -> dict[str, Any]:
    raw = json.loads(text)
    price, was = raw.get("price_from"), raw.get("compare_at_price")
    rating = raw.get("rating") or {}
    availability = raw.get("availability") or "in_stock"
    return {
        "id": raw["id"],
        "url": product_url(raw["slug"]),
        "title": raw["title"],
        "brand": raw.get("brand") or "",
        "picture": present_picture(raw.get("image"), raw["title"]),
        "price": format_money(price, locale),
        "was": format_money(was, locale) if discount_percent(price, was) else "",
        "discount": discount_percent(price, was),
        "availability": availability,
        "availability_label": AVAILABILITY.get(availability, ""),
        "sku": raw.get("sku") if availability != "out" else None,
        "from": not raw.get("sku"),
        "stars": format_stars(rating),
        "rating_count": rating.get("count") or 0,
    }


def discount_percent(price: Mapping[str, Any] | None, was: Mapping[str, Any] | None) -> int:
    """Return whole per cents off; 0 without a real difference."""
    if not price or not was or was["amount"] <= price["amount"]:
        return 0
    return int((was["amount"] - price["amount"]) * 100 / was["amount"])


def format_stars(rating: Mapping[str, Any]) -> str:
    """Return `4.3`, or an empty string without ratings."""
    return f"{float(rating['average']):.1f}" if rating.get("count") and rating.get("average") else ""


def present_product(raw: Mapping[str, Any], *, locale: str, sku: str = "") -> dict[str, Any]:
    """Return a product page.

    `sku` selects a variant; without it the first one that can be bought is selected.
    """
    variants = [_variant(v, locale) for v in raw.get("variants") or []]
    chosen = _chosen(variants, sku)
    names = list(dict.fromkeys(name for v in variants for name in v["attributes"]))
    return {
        "id": raw["id"],
        "slug": raw["slug"],
        "url": product_url(raw["slug"]),
        "title": raw["title"],
        "brand": raw.get("brand") or "",
        "paragraphs": [part for part in (raw.get("description") or "").split("\n") if part.strip()],
        "breadcrumbs": breadcrumbs(raw),
        "pictures": [
            found for image in raw.get("images") or [] if (found := present_picture(image, raw["title"]))
        ],
        "variants": variants,
        "chosen": chosen,
        "variant_name": ", ".join(names).capitalize() or "Version",
        "can_buy": any(v["availability"] != "out" for v in variants),
        "stars": format_stars(raw.get("rating") or {}),
        "rating_count": (raw.get("rating") or {}).get("count") or 0,
    }


def _variant(raw: Mapping[str, Any], locale: str) -> dict[str, Any]:
    attributes = {str(name): str(value) for name, value in (raw.get("attributes") or {}).items()}
    price, was = raw.get("price"), raw.get("compare_at_price")
    off = discount_percent(price, was)
    return {
        "sku": raw["sku"],
        "attributes": attributes,
        "label": " / ".join(attributes.values()) or raw["sku"],
        "price": format_money(price, locale),
        "was": format_money(was, locale) if off else "",
        "discount": off,
        "availability": raw.get("availability") or "in_stock",
        "availability_label": AVAILABILITY.get(raw.get("availability") or "in_stock", ""),
    }


def _chosen(variants: list[dict[str, Any]], sku: str) -> dict[str, Any] | None:
    selected = [v for v in variants if v["sku"] == sku]
    sold = [v for v in variants if v["availability"] != "out"]
    return next(iter(selected or sold or variants), None)


def breadcrumbs(raw: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"title": b["title"], "url": category_url(b["slug"])} for b in raw.get("breadcrumbs") or []]


def structured_data(raw: Mapping[str, Any], public_url: str) -> str:
    """Return schema.org's Product and BreadcrumbList as JSON that is safe inside a `<script>` element."""
    data = [_schema_product(raw, public_url), _schema_breadcrumbs(raw, public_url)]
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _schema_product(raw: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": raw["title"],
        "description": raw.get("description") or "",
        "url": public_url + product_url(raw["slug"]),
        "image": [
            urljoin(public_url + "/", p["largest"])
            for i in raw.get("images") or []
            if (p := present_picture(i))
        ],
        "offers": [
            {
                "@type": "Offer",
                "sku": v["sku"],
                "price": format_plain_amount(v["price"]),
                "priceCurrency": v["price"]["currency"],
                "availability": "https://schema.org/"
                + _SCHEMA_AVAILABILITY.get(v.get("availability", ""), "InStock"),
                "url": public_url + product_url(raw["slug"]),
            }
            for v in raw.get("variants") or []
        ],
    }
    if raw.get("brand"):
        found["brand"] = {"@type": "Brand", "name": raw["brand"]}
    rating = raw.get("rating") or {}
    if format_stars(rating):
        found["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": format_stars(rating),
            "reviewCount": rating["count"],
        }
    return found


def _schema_breadcrumbs(raw: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": place,
                "name": crumb["title"],
                "item": public_url + crumb["url"],
            }
            for place, crumb in enumerate(breadcrumbs(raw), start=1)
        ],
    }
