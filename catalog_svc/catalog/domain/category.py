"""Categories, and the tree that they form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.domain.errors import RuleViolation

MAX_DEPTH = 5


@dataclass(slots=True)
class Category:
    """One category; `id` is the slug, which never changes and is unique as the document's id."""

    id: str
    title: str
    parent: str | None = None
    position: int = 0
    deleted: bool = False
    created_at: datetime | None = None
    version: int = 0
    rev: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return self.id

    def revise(self, changes: Mapping[str, Any]) -> None:
        """Set title, parent or position.

        The position in the tree is checked by `CategoryTree.check_parent`.
        """
        for name in changes.keys() & {"title", "parent", "position"}:
            setattr(self, name, changes[name])
        self.version += 1

    def remove(self) -> None:
        self.deleted = True
        self.version += 1


class CategoryTree:
    """Tree of all categories that are not deleted.

    A category whose parent is gone is at the top.
    """

    def __init__(self, categories: Iterable[Category]) -> None:
        self._all = {category.id: category for category in categories if not category.deleted}
        self._children: dict[str | None, list[Category]] = {}
        for category in sorted(self._all.values(), key=lambda c: (c.position, c.title.lower(), c.id)):
            parent = category.parent if category.parent in self._all else None
            self._children.setdefault(parent, []).append(category)

    def __contains__(self, slug: object) -> bool:
        return slug in self._all

    def get(self, slug: str) -> Category | None:
        return self._all.get(slug)

    def children(self, slug: str | None) -> list[Category]:
        return self._children.get(slug, [])

    def path(self, slug: str) -> list[Category]:
        """Return the categories from the top down to `slug`; empty for an unknown slug."""
        path: list[Category] = []
        current = self._all.get(slug)
        while current is not None and current not in path:
            path.append(current)
            current = self._all.get(current.parent or "")
        return path[::-1]

    def check_parent(self, slug: str, parent: str | None) -> None:
        """Raise `RuleViolation` if `slug` cannot be below `parent`.

        The reasons are an unknown parent, a parent below `slug` itself, and a tree that gets too deep.
        """
        if parent is None:
            return
        if parent not in self._all:
            raise RuleViolation("unknown-category", f"There is no category {parent}.")
        ancestors = [category.id for category in self.path(parent)]
        if slug in ancestors:
            raise RuleViolation("category-cycle", "A category cannot be below itself.")
        if len(ancestors) + self._height(slug) > MAX_DEPTH:
            raise RuleViolation("category-too-deep", f"Categories go {MAX_DEPTH} levels deep at most.")

    def _height(self, slug: str) -> int:
        return 1 + max((self._height(child.id) for child in self.children(slug)), default=0)
