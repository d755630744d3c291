"""Categories as staff write them. Shoppers read them from the index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from catalog.domain import Category, CategoryTree, Product, ProductStatus, RuleBroken, slugify
from catalog.readmodel.sources import all_categories
from catalog.services import facts
from catalog.services.facts import Actor
from chassis.couch import Conflict, NotFound, Repository, every

Clock = Callable[[], datetime]
Match = Callable[[int], None]
Note = Callable[[Any], None]


class CategoryService:
    def __init__(self, categories: Repository[Category], products: Repository[Product], clock: Clock) -> None:
        self._categories = categories
        self._products = products
        self._clock = clock

    def tree(self) -> CategoryTree:
        return CategoryTree(all_categories(self._categories))

    def get(self, slug: str) -> Category:
        """Raises `NotFound`, also for a deleted one."""
        category = self._categories.get(slug)
        if category.deleted:
            raise NotFound(slug)
        return category

    def create(self, *, fields: Mapping[str, Any], actor: Actor | None = None) -> Category:
        """Raises `RuleBroken`: `slug-taken`, `unknown-category` (its parent), `category-too-deep`."""
        now = self._clock()
        slug = fields.get("slug") or slugify(fields["title"])
        if not slug:
            raise RuleBroken("no-slug", "Nothing of this title can be a slug; name one.")
        self.tree().check_place(slug, fields.get("parent"))
        category = Category(
            slug, fields["title"], fields.get("parent"), fields.get("position", 0), created_at=now
        )
        category.version = 1
        facts.audited(category, actor, "add", "category", category.title, "Added.", now)
        try:
            return self._categories.add(category)
        except Conflict as error:
            return self._revive(category, error)

    def _revive(self, wanted: Category, error: Conflict) -> Category:
        """A deleted category's document is still there; its slug may be used again."""

        def change(category: Category) -> None:
            if not category.deleted:
                raise RuleBroken("slug-taken", f"There is a category {wanted.slug} already.") from error
            category.deleted = False
            category.created_at = wanted.created_at
            category.revise({"title": wanted.title, "parent": wanted.parent, "position": wanted.position})

        return self._categories.update(wanted.id, change)

    def update(
        self, *, slug: str, changes: Mapping[str, Any], actor: Actor | None = None, match: Match | None =
        None,
        note: Note | None = None,
    ) -> Category:  # fmt: skip
        self.get(slug)
        if "parent" in changes:
            self.tree().check_place(slug, changes["parent"])

        def change(category: Category) -> None:
            if match:
                match(category.version)
            category.revise(changes)
            message = f"Changed {', '.join(sorted(changes))}."
            facts.audited(category, actor, "change", "category", category.title, message, self._clock())
            if note:
                note(category)

        return self._categories.update(slug, change)

    def remove(self, *, slug: str, actor: Actor | None = None, match: Match | None = None) -> Category:
        """Only an empty one: RuleBroken `category-in-use` while it has categories or products."""
        category = self.get(slug)
        if match:
            match(category.version)
        if self.tree().children(slug) or self._has_products(slug):
            raise RuleBroken("category-in-use", "The category still holds categories or products.")

        def change(category: Category) -> None:
            if match:
                match(category.version)
            category.remove()
            facts.audited(category, actor, "delete", "category", category.title, "Deleted.", self._clock())

        return self._categories.update(slug, change)

    def _has_products(self, slug: str) -> bool:
        there = every(self._products.find, "category", {"category": slug}, limit=100)
        return any(product.status is not ProductStatus.DELETED for product in there)
