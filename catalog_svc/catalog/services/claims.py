"""Unique names: one claim document per slug and per SKU, whose id is the name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from catalog.domain import Claim, Product, ProductStatus, RuleViolation
from chassis.couch import Conflict, NotFound, Repository

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
#: A claim is written before its product; one this old without a product was left behind by a crash.
ORPHAN_AFTER = timedelta(minutes=10)


class Claims:
    """Claims of names.

    They are made before the product is written, released after it has dropped the name, and swept when
    orphaned.
    """

    def __init__(
        self, slugs: Repository[Claim], skus: Repository[Claim], products: Repository[Product], clock: Clock
    ) -> None:
        self._slugs = slugs
        self._skus = skus
        self._products = products
        self._clock = clock

    def owner_of_slug(self, slug: str) -> str:
        """Return the id of the product; raises NotFound for a slug that nobody holds."""
        return self._slugs.get(slug).owner

    def owners_of_skus(self, skus: Sequence[str]) -> dict[str, str]:
        return {claim.id: claim.owner for claim in self._skus.get_many(skus)}

    def claim(self, owner: str, *, slug: str | None, skus: Iterable[str]) -> None:
        """Claim all of these names for the product `owner`, or none.

        Raises `RuleViolation` `slug-taken` or `sku-taken`.
        """
        taken: list[tuple[Repository[Claim], Claim]] = []
        try:
            if slug is not None:
                self._claim_name(self._slugs, slug, owner, "slug-taken", taken)
            for sku in skus:
                self._claim_name(self._skus, sku, owner, "sku-taken", taken)
        except Exception:
            for repository, claim in taken:
                repository.delete(claim)
            raise

    def _claim_name(
        self, repository: Repository[Claim], name: str, owner: str, problem: str,
        taken: list[tuple[Repository[Claim], Claim]],
    ) -> None:  # fmt: skip
        try:
            taken.append((repository, repository.add(Claim(name, owner, self._clock()))))
        except Conflict as error:
            if repository.get(name).owner != owner:
                raise RuleViolation(problem, f"{name} is taken by another product.") from error

    def release(self, owner: str, *, slug: str | None, skus: Iterable[str]) -> None:
        """Release the names, best effort; the sweeper removes what stays behind."""
        wanted = [(self._slugs, slug)] if slug is not None else []
        for repository, name in [*wanted, *((self._skus, sku) for sku in skus)]:
            _delete_claim(repository, name, owner)

    def release_orphans(self) -> int:
        """Release the claims that no product holds, and return their number."""
        freed = 0
        for repository, held in ((self._slugs, _holds_slug), (self._skus, _holds_sku)):
            cursor = None
            while True:
                page = repository.find("at", limit=200, cursor=cursor, end=self._clock() - ORPHAN_AFTER)
                freed += self._free_orphans(repository, page.items, held)
                cursor = page.next
                if cursor is None:
                    break
        return freed

    def _free_orphans(
        self, repository: Repository[Claim], claims: list[Claim], held: Callable[[Product, str], bool]
    ) -> int:
        owners = {
            product.id: product for product in self._products.get_many([claim.owner for claim in claims])
        }
        freed = 0
        for claim in claims:
            owner = owners.get(claim.owner)
            if owner is None or owner.status is ProductStatus.DELETED or not held(owner, claim.id):
                log.info("releasing the orphaned claim %s", claim.id)
                _delete_claim(repository, claim.id, claim.owner)
                freed += 1
        return freed


def _delete_claim(repository: Repository[Claim], name: str, owner: str) -> None:
    try:
        claim = repository.get(name)
        if claim.owner == owner:
            repository.delete(claim)
    except (NotFound, Conflict):
        pass  # another process was faster


def _holds_slug(product: Product, slug: str) -> bool:
    return product.slug == slug


def _holds_sku(product: Product, sku: str) -> bool:
    return sku in product.skus
