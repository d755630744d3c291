"""Products as staff write them, and as siblings ask for them."""

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
    RuleBroken,
    Variant,
    slugify,
)
from catalog.readmodel.sources import all_categories
from catalog.services import facts
from catalog.services.claims import Claims
from catalog.services.facts import Actor
from catalog.services.recent import RecentWrites
from catalog.services.stock import StockService
from chassis.couch import NotFound, Repository

Clock = Callable[[], datetime]
Match = Callable[[int], None]
Note = Callable[[Any], None]
_TRIES_FOR_A_SLUG = 50


@dataclass(frozen=True)
class Sellable:
    """One SKU as carts and orders need it."""

    product: Product
    variant: Variant
    availability: Availability


class ProductService:
    """`match(version)` in an edit may refuse it as stale; it is asked again on every attempt to write."""

    def __init__(
        self, products: Repository[Product], categories: Repository[Category], claims: Claims,
        stock: StockService, clock: Clock, new_id: Callable[[], str], recent: RecentWrites,
    ) -> None:  # fmt: skip
        self._products = products
        self._categories = categories
        self._claims = claims
        self._stock = stock
        self._clock = clock
        self._new_id = new_id
        self._recent = recent

    def get(self, slug: str) -> Product:
        """A product that is not deleted, from its document. Raises `NotFound`."""
        product = self._products.get(self._claims.owner_of_slug(slug))
        if product.slug != slug or product.status is ProductStatus.DELETED:
            raise NotFound(slug)
        return product

    def tree(self) -> CategoryTree:
        return CategoryTree(all_categories(self._categories))

    def create(self, *, fields: Mapping[str, Any], actor: Actor | None = None) -> Product:
        """A new product with its claims and stock documents. Raises `RuleBroken`.

        `fields` are those of `Product`; without a `slug` one is made of the title.
        """
        now = self._clock()
        wanted = dict(fields)
        slug = wanted.pop("slug", None)
        product = Product(id=self._new_id(), slug=slug or slugify(wanted["title"]), **wanted)
        product.create(now)
        self._check_category(product.category)
        self._claim(product, free_choice=slug is None)
        self._stock.open(product.skus, product.id)
        self._tell(product, now)
        facts.audited(product, actor, "add", "product", product.title, "Added.", now)
        return self._written(self._products.add(product))

    def _tell(self, product: Product, now: datetime) -> None:
        above = [category.id for category in self.tree().path(product.category)]
        facts.product_changed(product, above, self._stock.availability(product.skus), now)

    def _written(self, product: Product) -> Product:
        self._recent.note(product.slug, product.version)
        return product

    def _claim(self, product: Product, *, free_choice: bool) -> None:
        """Claim slug and SKUs; a slug made of the title steps aside: `lamp`, `lamp-2`, `lamp-3` …"""
        base = product.slug or "product"
        product.slug = base
        for number in range(2, _TRIES_FOR_A_SLUG):
            try:
                self._claims.take(product.id, slug=product.slug, skus=product.skus)
                return
            except RuleBroken as error:
                if error.type != "slug-taken" or not free_choice:
                    raise
                product.slug = f"{base}-{number}"
        raise RuleBroken("slug-taken", "Too many products have this title; name a slug.")

    def update(
        self, *, slug: str, changes: Mapping[str, Any], actor: Actor | None = None, match: Match | None = None
    ) -> Product:
        """Revise by the fields in `changes`. Raises `NotFound`, `RuleBroken`, and what `match` raises."""
        return self.update_by_id(id=self.get(slug).id, changes=changes, actor=actor, match=match)

    def update_by_id(
        self, *, id: str, changes: Mapping[str, Any], actor: Actor | None = None, match: Match | None = None,
        note: Note | None = None,
    ) -> Product:  # fmt: skip
        """As `update`. With `note` its caller (the admin) writes the audit itself, inside the write."""
        before = self._products.get(id)
        if match:
            match(before.version)
        if "category" in changes:
            self._check_category(changes["category"])
        new_slug, new_skus = _new_names(before, changes)
        self._claims.take(id, slug=new_slug, skus=new_skus)
        try:
            if new_skus:
                self._stock.open(new_skus, id)
            after = self._products.update(
                id, lambda product: self._revise(product, changes, actor, match, note)
            )
        except Exception:
            self._claims.give_back(id, slug=new_slug, skus=new_skus)
            raise
        old_slug = before.slug if before.slug != after.slug else None
        self._claims.give_back(id, slug=old_slug, skus=set(before.skus) - set(after.skus))
        self._recent.note(before.slug, after.version)
        return self._written(after)

    def _revise(
        self, product: Product, changes: Mapping[str, Any], actor: Actor | None, match: Match | None,
        note: Note | None,
    ) -> None:  # fmt: skip
        now = self._clock()
        if match:
            match(product.version)
        product.revise(changes, now)
        self._tell(product, now)
        message = f"Changed {', '.join(sorted(changes))}."
        facts.audited(product, actor, "change", "product", product.title, message, now)
        if note:
            note(product)

    def remove(self, *, slug: str, actor: Actor | None = None, match: Match | None = None) -> Product:
        """Take it off the shop for good: its slug and SKUs are free again."""

        def change(product: Product) -> None:
            now = self._clock()
            if match:
                match(product.version)
            product.remove(now)
            facts.product_deleted(product, now)
            facts.audited(product, actor, "delete", "product", product.title, "Deleted.", now)

        product = self._products.update(self.get(slug).id, change)
        self._claims.give_back(product.id, slug=product.slug, skus=product.skus)
        return self._written(product)

    def _check_category(self, slug: str) -> None:
        if slug not in self.tree():
            raise RuleBroken("unknown-category", f"There is no category {slug}.")

    def availability(self, product: Product) -> dict[str, Availability]:
        return self._stock.availability(product.skus)

    def sellable(self, skus: Sequence[str]) -> list[Sellable]:
        """What is for sale of these SKUs, from documents, in their order; the others are left out."""
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
    """The slug and the SKUs that an edit adds."""
    slug = changes.get("slug")
    variants: Sequence[Variant] = changes.get("variants", ())
    have = set(product.skus)
    return (slug if slug != product.slug else None), [v.sku for v in variants if v.sku not in have]
