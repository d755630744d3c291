"""Reviews: one per shopper and product, by the document's id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from catalog.domain import Product, Purchase, Rating, Review, RuleBroken
from chassis.couch import Conflict, Page, Repository, every

Clock = Callable[[], datetime]


class ReviewService:
    def __init__(
        self,
        reviews: Repository[Review],
        products: Repository[Product],
        purchases: Repository[Purchase],
        clock: Clock,
    ) -> None:
        self._reviews = reviews
        self._products = products
        self._purchases = purchases
        self._clock = clock

    def list_of(self, product_id: str, limit: int, cursor: str | None) -> Page[Review]:
        """The newest first."""
        return self._reviews.find(
            "product", {"product_id": product_id}, descending=True, limit=limit, cursor=cursor
        )

    def write(
        self, *, product: Product, account_id: str, author: str, rating: int, title: str, body: str
    ) -> Review:
        """Raises RuleBroken `review-exists` for a second one of the same shopper."""
        review = Review(
            id=f"{product.id}:{_person(account_id)}", product_id=product.id, account_id=account_id,
            author=author,
            rating=rating, title=title, body=body, at=self._clock(),
            verified_purchase=self._has_bought(account_id, product.id), version=1,
        )  # fmt: skip
        try:
            stored = self._reviews.add(review)
        except Conflict as error:
            self._rate(product.id)  # a first attempt may have ended between the two writes
            raise RuleBroken("review-exists", "You have reviewed this product already.") from error
        self._rate(product.id)
        return stored

    def remove(self, id: str) -> None:
        """Take a review off, and its stars out of the average."""
        review = self._reviews.get(id)
        self._reviews.delete(review)
        self._rate(review.product_id)

    def _rate(self, product_id: str) -> None:
        """Sum up all reviews into the product; whoever is last is right."""

        def change(product: Product) -> None:
            rows = self._reviews.rows("stars", key=product_id)
            stars = rows[0].value if rows else {"sum": 0, "count": 0}
            product.rate(Rating(int(stars["sum"]), int(stars["count"])))

        self._products.update(product_id, change)

    def _has_bought(self, account_id: str, product_id: str) -> bool:
        bought = every(self._purchases.find, "account", {"account_id": account_id}, limit=100)
        return any(product_id in one.quantities and not one.cancelled for one in bought)


def _person(account_id: str) -> str:
    """The account in the document's id, not readable: ids stay when a person is erased."""
    return hashlib.sha256(account_id.encode()).hexdigest()[:32]
