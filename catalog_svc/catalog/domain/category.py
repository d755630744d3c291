"""Categories: small documents, and the tree that they make together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.domain.rules import RuleBroken

MAX_DEPTH = 5


@dataclass(slots=True)
class Category:
    """`id` is the slug, which never changes: the document's id makes it unique."""

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
        """Set title, parent or position. The tree is checked by `CategoryTree.check_place`."""
        for name in changes.keys() & {"title", "parent", "position"}:
            setattr(self, name, changes[name])
        self.version += 1

    def remove(self) -> None:
        self.deleted = True
        self.version += 1


class CategoryTree:
    """All categories that are not deleted. Tolerates a parent that is gone: the child is then at the top."""

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
        """From the top down to `slug`; empty when there is no such category."""
        path: list[Category] = []
        current = self._all.get(slug)
        while current is not None and current not in path:
            path.append(current)
            current = self._all.get(current.parent or "")
        return path[::-1]

    def check_place(self, slug: str, parent: str | None) -> None:
        """Raise `RuleBroken` when `slug` cannot hang under `parent`: unknown, below itself, or too deep."""
        if parent is None:
            return
        if parent not in self._all:
            raise RuleBroken("unknown-category", f"There is no category {parent}.")
        above = [category.id for category in self.path(parent)]
        if slug in above:
            raise RuleBroken("category-cycle", "A category cannot be below itself.")
        if len(above) + self._height(slug) > MAX_DEPTH:
            raise RuleBroken("category-too-deep", f"Categories go {MAX_DEPTH} levels deep at most.")

    def _height(self, slug: str) -> int:
        return 1 + max((self._height(child.id) for child in self.children(slug)), default=0)
