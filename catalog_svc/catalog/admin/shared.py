"""What the admin's pages share."""

from __future__ import annotations

from collections.abc import Callable

from django import forms

from catalog.wiring import parts
from chassis.admin.forms import StaleVersion


def same(version: int) -> Callable[[int], None]:
    """What services ask before they write: the version that the form was opened at."""

    def match(now: int) -> None:
        if now != version:
            raise StaleVersion

    return match


def category_choices(empty: str = "") -> list[tuple[str, str]]:
    """(slug, "Home / Kitchen") of all categories, in the tree's order."""
    tree = parts().products.tree()

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
