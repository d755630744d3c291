"""List pages: the query in the address, and the facets that narrow it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from shop.domain.money import format_money, parse_price
from shop.domain.products import present_card

Pairs = tuple[tuple[str, str], ...]

SORTS = (
    ("popular", "Most popular"),
    ("newest", "Newest"),
    ("price", "Price, low to high"),
    ("-price", "Price, high to low"),
    ("rating", "Best rated"),
)
_SINGLE = ("q", "category", "min_price", "max_price", "rating", "sort")
_FLAGS = ("in_stock", "on_sale")
_MAX_VALUES = 20
_MAX_LENGTH = 200
#: Maximum number of attribute facets of a list.
_ATTRIBUTES = 6


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """Cleaned query of a list page.

    `pairs` are those of the page's own address, with prices in euros as typed.
    """

    path: str
    pairs: Pairs
    cursor: str = ""
    category: str = ""

    @classmethod
    def parse(cls, path: str, items: Iterable[tuple[str, str]], category: str = "") -> ListingQuery:
        """Parse an address.

        Unknown, empty or absurd parameters are left out: a list page never responds 400.
        """
        kept: list[tuple[str, str]] = []
        cursor = ""
        for name, typed in items:
            value = typed.strip()[:_MAX_LENGTH].replace("\x00", "")
            if name == "cursor":
                cursor = value
            elif value and (name, value) not in kept and _allowed(name, value, kept):
                kept.append((name, value))
        return cls(path, tuple(kept), cursor, category)

    def first(self, name: str) -> str:
        return next((value for key, value in self.pairs if key == name), "")

    def has(self, name: str, value: str) -> bool:
        return (name, value) in self.pairs

    def values(self, name: str) -> frozenset[str]:
        return frozenset(value for key, value in self.pairs if key == name)

    @property
    def query(self) -> str:
        return self.first("q")

    def without(self, name: str, value: str | None = None) -> str:
        """Return the address of the page without one choice."""
        return self._url(
            tuple(p for p in self.pairs if p[0] != name or (value is not None and p[1] != value))
        )

    def replacing(self, name: str, value: str) -> str:
        return self._url((*(p for p in self.pairs if p[0] != name), (name, value)))

    def between(self, bounds: Mapping[str, int]) -> str:
        """Return the address of the page within prices in minor units; 0 is no bound."""
        kept = [p for p in self.pairs if p[0] not in bounds]
        added = [
            (name, f"{amount / 100:.2f}".removesuffix(".00")) for name, amount in bounds.items() if amount
        ]
        return self._url((*kept, *added))

    def page(self, cursor: str) -> str:
        return self._url((*self.pairs, ("cursor", cursor)))

    def url(self) -> str:
        return self._url(self.pairs)

    def _url(self, pairs: Pairs) -> str:
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def params(self, limit: int = 24) -> list[tuple[str, str]]:
        """Return the parameters for the catalogue; prices in minor units."""
        found = [("limit", str(limit))]
        if self.category:
            found.append(("category", self.category))
        for name, value in self.pairs:
            if name == "category" and self.category:
                continue
            found.append((name, str(parse_price(value)) if name in ("min_price", "max_price") else value))
        if not self.first("sort"):
            found.append(("sort", "relevance" if self.query else "popular"))
        if self.cursor:
            found.append(("cursor", self.cursor))
        return found


def _allowed(name: str, value: str, kept: Sequence[tuple[str, str]]) -> bool:
    taken = [known for known, _ in kept if known == name]
    if name in ("min_price", "max_price"):
        return not taken and parse_price(value) is not None
    if name in _FLAGS:
        return not taken and value == "true"
    if name == "sort":
        return not taken and value in dict(SORTS) | {"relevance": ""}
    if name == "rating":
        return not taken and value in ("1", "2", "3", "4", "5")
    if name in _SINGLE:
        return not taken
    return (name == "brand" or _attribute(name)) and len(taken) < _MAX_VALUES


def _attribute(name: str) -> bool:
    return name.startswith("attr.") and 5 < len(name) <= 60


def present_listing(answer: Mapping[str, Any], query: ListingQuery, *, locale: str) -> dict[str, Any]:
    """Return the middle of a list page: cards, count, facets, choices, next page."""
    total = answer.get("total")
    return {
        "cards": [present_card(raw, locale) for raw in answer.get("results") or []],
        "total": total,
        "total_label": _count(total),
        "more": query.page(answer["next"]) if answer.get("next") else "",
        "panel": _panel(json.dumps(answer.get("facets") or {}), replace(query, cursor="")),
        "chips": present_chips(query, locale),
        "sorts": present_sorts(query),
        "clear": query.path + (f"?{urlencode({'q': query.query})}" if query.query else ""),
        "did_you_mean": _suggestion(answer, query),
        "continued": bool(query.cursor),
    }


@lru_cache(maxsize=512)
def _panel(text: str, query: ListingQuery) -> dict[str, Any]:
    """Return the filters beside a list.

    The same facets give the same dictionary, which caches its rendered form, as a card does: most of a list
    page does not change between two shoppers.
    """
    raw = json.loads(text)
    return {
        "path": query.path,
        "facets": present_facets(raw, query),
        "price": price_facet(raw, query),
        "categories": category_facet(raw, query),
        "flags": [
            {"name": "in_stock", "label": "In stock now", "on": query.has("in_stock", "true")},
            {"name": "on_sale", "label": "On sale", "on": query.has("on_sale", "true")},
        ],
        "hidden": [p for p in query.pairs if p[0] == "q" or (p[0] == "category" and not query.category)],
    }


def _count(total: int | None) -> str:
    if total is None:
        return ""
    return "1 product" if total == 1 else f"{total:,} products"


def _suggestion(answer: Mapping[str, Any], query: ListingQuery) -> dict[str, str] | None:
    words = answer.get("did_you_mean")
    if not words:
        return None
    return {"words": str(words), "url": f"{query.path}?{urlencode({'q': words})}"}


def present_facets(raw: Mapping[str, Any], query: ListingQuery) -> list[dict[str, Any]]:
    """Return groups of check boxes: brand, then the attributes that most of the products have.

    A chosen value stays, also if it counts 0.
    """
    attributes = sorted(
        (name for name in raw if _attribute(name)), key=lambda name: (-_size(raw[name]), name)
    )
    chosen = {name for name, _ in query.pairs}
    names = ["brand", *(n for place, n in enumerate(attributes) if place < _ATTRIBUTES or n in chosen)]
    groups = (_group(name, json.dumps(raw.get(name) or []), query.values(name)) for name in names)
    return [group for group in groups if group is not None]


@lru_cache(maxsize=1024)
def _group(name: str, text: str, chosen: frozenset[str]) -> dict[str, Any] | None:
    """Return one group of check boxes, or None if there is nothing to choose.

    As with cards, the same group gives the same dictionary, which caches its rendered form: a price that
    narrows the list leaves most groups unchanged.
    """
    options = [_option(name, o, chosen) for o in json.loads(text)]
    shown = [o for o in options if o["count"] != "0" or o["on"]][:12]
    is_on = any(o["on"] for o in shown)
    if len(shown) < 2 and not is_on:
        return None
    return {"name": name, "label": facet_label(name), "options": shown, "on": is_on}


def _size(options: Sequence[Mapping[str, Any]]) -> int:
    return sum(int(o.get("count") or 0) for o in options)


def _option(name: str, raw: Mapping[str, Any], chosen: frozenset[str]) -> dict[str, Any]:
    value = str(raw["value"])
    return {
        "value": value,
        "label": raw.get("label") or value,
        "count": str(raw.get("count") or 0),  # text: templates are slow at formatting numbers
        "on": value in chosen,
        "id": "f-" + "".join(c if c.isalnum() else "-" for c in f"{name}-{value}"),
    }


def facet_label(name: str) -> str:
    return name.removeprefix("attr.").replace("_", " ").capitalize()


def price_facet(raw: Mapping[str, Any], query: ListingQuery) -> dict[str, Any]:
    """Return the typed prices, and the catalogue's steps (`0-2499`, `20000-`, minor units) as links."""
    steps = []
    for step in raw.get("price") or []:
        low, _, high = str(step["value"]).partition("-")
        if low.isdigit() and (high.isdigit() or not high):
            bounds = {"min_price": int(low), "max_price": int(high) if high else 0}
            steps.append({"label": step["label"], "count": str(step["count"]), "url": query.between(bounds)})
    return {
        "min": query.first("min_price"),
        "max": query.first("max_price"),
        "steps": steps if len(steps) > 1 else [],
    }


def category_facet(raw: Mapping[str, Any], query: ListingQuery) -> list[dict[str, Any]]:
    """Return links that narrow a search to one category.

    A category's own page shows its children instead.
    """
    if query.category:
        return []
    chosen = query.first("category")
    return [
        {
            "label": o.get("label") or o["value"],
            "count": str(o.get("count") or 0),
            "on": o["value"] == chosen,
            "url": query.without("category")
            if o["value"] == chosen
            else query.replacing("category", str(o["value"])),
        }
        for o in (raw.get("category") or [])[:10]
    ]


def present_sorts(query: ListingQuery) -> list[dict[str, Any]]:
    known = (("relevance", "Best match"), *SORTS) if query.query else SORTS
    current = query.first("sort") or known[0][0]
    return [{"value": value, "label": label, "on": value == current} for value, label in known]


def present_chips(query: ListingQuery, locale: str) -> list[dict[str, str]]:
    """Return the active filters, each with the address that removes it."""
    found = []
    for name, value in query.pairs:
        label = _chip_label(name, value, locale)
        if label:
            found.append({"label": label, "url": query.without(name, value)})
    return found


def _chip_label(name: str, value: str, locale: str) -> str:
    if name in ("min_price", "max_price"):
        amount = format_money({"amount": parse_price(value) or 0, "currency": "EUR"}, locale)
        return f"From {amount}" if name == "min_price" else f"Up to {amount}"
    if name == "rating":
        return f"{value} stars and up"
    words = {"in_stock": "In stock now", "on_sale": "On sale"}
    if name in words:
        return words[name]
    return value if name == "brand" or _attribute(name) else ""
