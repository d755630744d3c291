"""Facets: the other choices beside the results, and their number of products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.readmodel.index_documents import ATTR_SEPARATOR
from catalog.readmodel.query import Filters

#: Lower ends of the price steps, in minor units.
_PRICE_STEPS = (0, 1_000, 2_500, 5_000, 10_000, 25_000)
_MAX_VALUES = 60

Facet = list[dict[str, Any]]
Aggregate = Callable[[Filters, tuple[str, ...]], Mapping[str, Any]]


def filtered_facets(filters: Filters) -> list[str]:
    """Return the facets whose own filter is set.

    They count without that filter, so that a shopper can choose a second value or another one.
    """
    chosen = {
        "brand": bool(filters.brand),
        "price": filters.min_price is not None or filters.max_price is not None,
        "rating": filters.rating is not None,
        **{f"attr.{name}": True for name, _ in filters.attrs},
    }
    return [name for name, is_set in chosen.items() if is_set]


def count_facets(aggregate: Aggregate, filters: Filters, titles: Mapping[str, str]) -> dict[str, Facet]:
    """Return `{category, brand, price, rating, attr.<name>}`, each `[{value, label, count}]`.

    `aggregate(filters, names)` returns the aggregations `COUNTS` of these names; `titles` are those of the
    categories by slug.
    """
    own = filtered_facets(filters)
    found = _read(aggregate(filters, tuple(name for name in COUNTS if name not in own)), titles)
    for facet in own:
        part = "attr" if facet.startswith("attr.") else facet
        wider = _read(aggregate(filters.without(facet), (part,)), titles)
        found[facet] = wider.get(facet, [])
    return found


def _read(answer: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Facet]:
    found: dict[str, Facet] = {}
    if "category" in answer:
        found["category"] = _terms(answer["category"], titles)
    if "brand" in answer:
        found["brand"] = _terms(answer["brand"], {})
    if "price" in answer:
        found["price"] = _prices(answer["price"])
    if "rating" in answer:
        found["rating"] = _stars(answer["rating"])
    for bucket in answer["attr"]["buckets"] if "attr" in answer else ():
        name, _, value = bucket["key"].partition(ATTR_SEPARATOR)
        found.setdefault(f"attr.{name}", []).append(_choice(value, value, bucket["doc_count"]))
    return found


def _choice(value: str, label: str, number: int) -> dict[str, Any]:
    return {"value": value, "label": label, "count": number}


def _terms(answer: Mapping[str, Any], titles: Mapping[str, str]) -> Facet:
    return [_choice(b["key"], titles.get(b["key"], b["key"]), b["doc_count"]) for b in answer["buckets"]]


def _prices(answer: Mapping[str, Any]) -> Facet:
    """Return the price steps.

    Values are `<min_price>-<max_price>`, both included, as the filters take them; the last has no end.
    """
    counts = {int(bucket.get("from", 0)): bucket["doc_count"] for bucket in answer["buckets"]}
    shown = []
    for low, high in zip(_PRICE_STEPS, [*_PRICE_STEPS[1:], None], strict=True):
        if not counts.get(low):
            continue
        value = f"{low}-{high - 1}" if high is not None else f"{low}-"
        shown.append(_choice(value, _price_label(low, high), counts[low]))
    return shown


def _price_label(low: int, high: int | None) -> str:
    if high is None:
        return f"€{low // 100} and over"
    return f"€{low // 100} – €{high // 100}" if low else f"Under €{high // 100}"


def _stars(answer: Mapping[str, Any]) -> Facet:
    """Return the ratings; "4" means four stars and more, so the counts add up from the top."""
    counts = {int(bucket.get("from", 0)) // 10: bucket["doc_count"] for bucket in answer["buckets"]}
    shown: Facet = []
    total = 0
    for stars in (5, 4, 3, 2, 1):
        total += counts.get(stars, 0)
        if total:
            shown.append(_choice(str(stars), "5 stars" if stars == 5 else f"{stars} stars & up", total))
    return shown


def _steps(ends: tuple[int, ...]) -> list[dict[str, int]]:
    return [
        {"from": low} | ({"to": high} if high is not None else {})
        for low, high in zip(ends, [*ends[1:], None], strict=True)
    ]


#: Tantivy's aggregation for each facet; `attr` has those of all attributes.
COUNTS: dict[str, Any] = {
    "category": {"terms": {"field": "category", "size": 200}},
    "brand": {"terms": {"field": "brand", "size": _MAX_VALUES}},
    "attr": {"terms": {"field": "attr", "size": 300}},
    "price": {"range": {"field": "price", "ranges": _steps(_PRICE_STEPS)}},
    "rating": {"range": {"field": "stars", "ranges": _steps((10, 20, 30, 40, 50))}},
}
