"""Presentation of the category menu."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shop.domain.products import category_url


def build_menu(categories: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the category tree as `{slug, title, url, count, children}`."""
    return [
        {
            "slug": c["slug"],
            "title": c["title"],
            "url": category_url(c["slug"]),
            "count": c.get("count") or 0,
            "children": build_menu(c.get("children") or []),
        }
        for c in categories
    ]


def find_trail(categories: Iterable[dict[str, Any]], slug: str) -> list[dict[str, Any]]:
    """Return the categories from the root to the one with this slug; empty if there is none."""
    for category in categories:
        if category["slug"] == slug:
            return [category]
        below = find_trail(category["children"], slug)
        if below:
            return [category, *below]
    return []
