"""Categories as staff write them; shoppers read them from the index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from catalog.domain import Category, CategoryTree, Product, ProductStatus, RuleViolation, slugify
from catalog.readmodel.sources import all_categories
from catalog.services import events
from catalog.services.events import Actor
from chassis.couch import Conflict, NotFound, Repository, iter_all

Clock = Callable[[], datetime]
VersionCheck = Callable[[int], None]
AuditHook = Callable[[Any], None]


class CategoryService:
    def __init__(self, categories: Repository[Category], products: Repository[Product], clock: Clock) -> None:
        self._categories = categories
        self._products = products
        self._clock = clock

    def tree(self) -> CategoryTree:
        return CategoryTree(all_categories(self._categories))

    def get(self, slug: str) -> Category:
        """Return a category.

        Raises `NotFound`, also for a deleted one.
        """
        category = self._categories.get(slug)
        if category.deleted:
            raise NotFound(slug)
        return category

    def create(self, *, fields: Mapping[str, Any], actor: Actor | None = None) -> Category:
        """Create a category.

        Raises `RuleViolation`: `slug-taken`, `unknown-category` (its parent), `category-too-deep`.
        """
        now = self._clock()
        slug = fields.get("slug") or slugify(fields["title"])
        if not slug:
            raise RuleViolation("no-slug", "Nothing of this title can be a slug; name one.")
        self.tree().check_parent(slug, fields.get("parent"))
        category = Category(
            slug, fields["title"], fields.get("parent"), fields.get("position", 0), created_at=now
        )
        category.version = 1
        events.append_audit(category, actor, "add", "category", category.title, "Added.", now)
        try:
            return self._categories.add(category)
        except Conflict as error:
            return self._revive(category, error)

    def _revive(self, wanted: Category, error: Conflict) -> Category:
        """Reuse the document of a deleted category, whose slug is free again."""

        def change(category: Category) -> None:
            if not category.deleted:
                raise RuleViolation("slug-taken", f"There is a category {wanted.slug} already.") from error
            category.deleted = False
            category.created_at = wanted.created_at
            category.revise({"title": wanted.title, "parent": wanted.parent, "position": wanted.position})

        return self._categories.update(wanted.id, change)

    def update(
        self,
        *,
        slug: str,
        changes: Mapping[str, Any],
        actor: Actor | None = None,
        check_version: VersionCheck | None = None,
        add_audit: AuditHook | None = None,
    ) -> Category:
        self.get(slug)
        if "parent" in changes:
            self.tree().check_parent(slug, changes["parent"])

        def change(category: Category) -> None:
            if check_version:
                check_version(category.version)
            category.revise(changes)
            message = f"Changed {', '.join(sorted(changes))}."
            events.append_audit(category, actor, "change", "category", category.title, message, self._clock())
            if add_audit:
                add_audit(category)

        return self._categories.update(slug, change)

    def remove(
        self, *, slug: str, actor: Actor | None = None, check_version: VersionCheck | None = None
    ) -> Category:
        """Delete an empty category.

        Raises `RuleViolation` `category-in-use` while it has categories or products.
        """
        category = self.get(slug)
        if check_version:
            check_version(category.version)
        if self.tree().children(slug) or self._has_products(slug):
            raise RuleViolation("category-in-use", "The category still holds categories or products.")

        def change(category: Category) -> None:
            if check_version:
                check_version(category.version)
            category.remove()
            events.append_audit(
                category, actor, "delete", "category", category.title, "Deleted.", self._clock()
            )

        return self._categories.update(slug, change)

    def _has_products(self, slug: str) -> bool:
        there = iter_all(self._products.find, "category", {"category": slug}, limit=100)
        return any(product.status is not ProductStatus.DELETED for product in there)
