"""The category menu."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shop.domain.products import category_url


def tree(categories: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The category menu: `{slug, title, url, count, children}`."""
    return [
        {
            "slug": c["slug"],
            "title": c["title"],
            "url": category_url(c["slug"]),
            "count": c.get("count") or 0,
            "children": tree(c.get("children") or []),
        }
        for c in categories
    ]


def trail(categories: Iterable[dict[str, Any]], slug: str) -> list[dict[str, Any]]:
    """From the root to the category with this slug, itself included; empty when there is none."""
    for category in categories:
        if category["slug"] == slug:
            return [category]
        below = trail(category["children"], slug)
        if below:
            return [category, *below]
    return []
