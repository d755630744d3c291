"""Helpers shared by the admin pages."""

from __future__ import annotations

from collections.abc import Callable

from django import forms

from catalog.container import dependencies
from chassis.admin.forms import StaleVersion


def require_version(version: int) -> Callable[[int], None]:
    """Return a check that raises StaleVersion unless the document still has `version`."""

    def check_version(now: int) -> None:
        if now != version:
            raise StaleVersion

    return check_version


def category_choices(empty: str = "") -> list[tuple[str, str]]:
    """Return (slug, "Home / Kitchen") of all categories, in the tree's order."""
    tree = dependencies().products.tree()

    def below(slug: str | None, path: str) -> list[tuple[str, str]]:
        found = []
        for child in tree.children(slug):
            title = f"{path} / {child.title}" if path else child.title
            found += [(child.id, title), *below(child.id, title)]
        return found

    return ([("", empty)] if empty else []) + below(None, "")


def category_field(**options: object) -> forms.ChoiceField:
    empty = str(options.pop("empty", ""))
    return forms.ChoiceField(choices=lambda: category_choices(empty), **options)
