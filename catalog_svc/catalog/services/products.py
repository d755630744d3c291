"""Products as staff write them and as other services read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.domain import (
    Availability,
    Category,
    CategoryTree,
    Product,
    ProductStatus,
    RuleViolation,
    Variant,
    slugify,
)
from catalog.readmodel.sources import all_categories
from catalog.services import events
from catalog.services.claims import Claims
from catalog.services.events import Actor
from catalog.services.recent_writes import RecentWrites
from catalog.services.stock import StockService
from chassis.couch import NotFound, Repository

Clock = Callable[[], datetime]
VersionCheck = Callable[[int], None]
AuditHook = Callable[[Any], None]
_MAX_SLUG_ATTEMPTS = 50


@dataclass(frozen=True)
class Sellable:
    """SKU with the data that carts and orders need."""

    product: Product
    variant: Variant
    availability: Availability


class ProductService:
    """Use cases of products.

    `check_version(version)` of an edit may refuse it as stale; it is called again on every attempt to
    write.
    """

    def __init__(
        self,
        products: Repository[Product],
        categories: Repository[Category],
        claims: Claims,
        stock: StockService,
        clock: Clock,
        new_id: Callable[[], str],
        recent_writes: RecentWrites,
    ) -> None:
        self._products = products
        self._categories = categories
        self._claims = claims
        self._stock = stock
        self._clock = clock
        self._new_id = new_id
        self._recent_writes = recent_writes

    def get(self, slug: str) -> Product:
        """Return a product that is not deleted, from its document.

        Raises `NotFound`.
        """
        product = self._products.get(self._claims.owner_of_slug(slug))
        if product.slug != slug or product.status is ProductStatus.DELETED:
            raise NotFound(slug)
        return product

    def tree(self) -> CategoryTree:
        return CategoryTree(all_categories(self._categories))

    def create(self, *, fields: Mapping[str, Any], actor: Actor | None = None) -> Product:
        """Create a product with its claims and stock documents.

        `fields` are those of `Product`; without a `slug` one is made from the title. Raises
        `RuleViolation`.
        """
        now = self._clock()
        wanted = dict(fields)
        slug = wanted.pop("slug", None)
        product = Product(id=self._new_id(), slug=slug or slugify(wanted["title"]), **wanted)
        product.create(now)
        self._check_category(product.category)
        self._claim(product, free_choice=slug is None)
        self._stock.create_missing(product.skus, product.id)
        self._append_changed_event(product, now)
        events.append_audit(product, actor, "add", "product", product.title, "Added.", now)
        return self._note_write(self._products.add(product))

    def _append_changed_event(self, product: Product, now: datetime) -> None:
        category_path = [category.id for category in self.tree().path(product.category)]
        events.append_product_changed(product, category_path, self._stock.availability(product.skus), now)

    def _note_write(self, product: Product) -> Product:
        self._recent_writes.add(product.slug, product.version)
        return product

    def _claim(self, product: Product, *, free_choice: bool) -> None:
        """Claim slug and SKUs; a slug made from the title gets a number: `lamp`, `lamp-2`, `lamp-3`."""
        base = product.slug or "product"
        product.slug = base
        for number in range(2, _MAX_SLUG_ATTEMPTS):
            try:
                self._claims.claim(product.id, slug=product.slug, skus=product.skus)
                return
            except RuleViolation as error:
                if error.type != "slug-taken" or not free_choice:
                    raise
                product.slug = f"{base}-{number}"
        raise RuleViolation("slug-taken", "Too many products have this title; name a slug.")

    def update(
        self,
        *,
        slug: str,
        changes: Mapping[str, Any],
        actor: Actor | None = None,
        check_version: VersionCheck | None = None,
    ) -> Product:
        """Revise the fields in `changes`.

        Raises `NotFound`, `RuleViolation`, and what `check_version` raises.
        """
        return self.update_by_id(
            id=self.get(slug).id, changes=changes, actor=actor, check_version=check_version
        )

    def update_by_id(
        self,
        *,
        id: str,
        changes: Mapping[str, Any],
        actor: Actor | None = None,
        check_version: VersionCheck | None = None,
        add_audit: AuditHook | None = None,
    ) -> Product:
        """Revise the fields in `changes` of the product with this id.

        With `add_audit` its caller (the admin) adds the audit entry itself, inside the write.
        """
        before = self._products.get(id)
        if check_version:
            check_version(before.version)
        if "category" in changes:
            self._check_category(changes["category"])
        new_slug, new_skus = _new_names(before, changes)
        self._claims.claim(id, slug=new_slug, skus=new_skus)
        try:
            if new_skus:
                self._stock.create_missing(new_skus, id)
            after = self._products.update(
                id, lambda product: self._revise(product, changes, actor, check_version, add_audit)
            )
        except Exception:
            self._claims.release(id, slug=new_slug, skus=new_skus)
            raise
        old_slug = before.slug if before.slug != after.slug else None
        self._claims.release(id, slug=old_slug, skus=set(before.skus) - set(after.skus))
        self._recent_writes.add(before.slug, after.version)
        return self._note_write(after)

    def _revise(
        self,
        product: Product,
        changes: Mapping[str, Any],
        actor: Actor | None,
        check_version: VersionCheck | None,
        add_audit: AuditHook | None,
    ) -> None:
        now = self._clock()
        if check_version:
            check_version(product.version)
        product.revise(changes, now)
        self._append_changed_event(product, now)
        message = f"Changed {', '.join(sorted(changes))}."
        events.append_audit(product, actor, "change", "product", product.title, message, now)
        if add_audit:
            add_audit(product)

    def remove(
        self, *, slug: str, actor: Actor | None = None, check_version: VersionCheck | None = None
    ) -> Product:
        """Delete a product for good; its slug and SKUs are free again."""

        def change(product: Product) -> None:
            now = self._clock()
            if check_version:
                check_version(product.version)
            product.remove(now)
            events.append_product_deleted(product, now)
            events.append_audit(product, actor, "delete", "product", product.title, "Deleted.", now)

        product = self._products.update(self.get(slug).id, change)
        self._claims.release(product.id, slug=product.slug, skus=product.skus)
        return self._note_write(product)

    def _check_category(self, slug: str) -> None:
        if slug not in self.tree():
            raise RuleViolation("unknown-category", f"There is no category {slug}.")

    def availability(self, product: Product) -> dict[str, Availability]:
        return self._stock.availability(product.skus)

    def find_sellable(self, skus: Sequence[str]) -> list[Sellable]:
        """Return the given SKUs that are for sale, from documents, in their order."""
        owners = self._claims.owners_of_skus(skus)
        products = {p.id: p for p in self._products.get_many(sorted(set(owners.values()))) if p.is_listed}
        stock = self._stock.availability(list(owners))
        found = []
        for sku in dict.fromkeys(skus):
            product = products.get(owners.get(sku, ""))
            variant = product.variant(sku) if product else None
            if product is not None and variant is not None:
                found.append(Sellable(product, variant, stock.get(sku, Availability.OUT)))
        return found


def _new_names(product: Product, changes: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    """Return the slug and the SKUs that an edit adds."""
    slug = changes.get("slug")
    variants: Sequence[Variant] = changes.get("variants", ())
    have = set(product.skus)
    return (slug if slug != product.slug else None), [v.sku for v in variants if v.sku not in have]
