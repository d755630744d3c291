"""Reviews; the document's id allows one per shopper and product."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from catalog.domain import Product, Purchase, Rating, Review, RuleViolation
from chassis.couch import Conflict, Page, Repository, iter_all

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

    def list_for_product(self, product_id: str, limit: int, cursor: str | None) -> Page[Review]:
        """Return a page of a product's reviews, newest first."""
        return self._reviews.find(
            "product", {"product_id": product_id}, descending=True, limit=limit, cursor=cursor
        )

    def write(
        self, *, product: Product, account_id: str, author: str, rating: int, title: str, body: str
    ) -> Review:
        """Add a review.

        Raises `RuleViolation` `review-exists` for a second one of the same shopper.
        """
        review = Review(
            id=f"{product.id}:{_hash_account(account_id)}", product_id=product.id, account_id=account_id,
            author=author,
            rating=rating, title=title, body=body, at=self._clock(),
            verified_purchase=self._has_bought(account_id, product.id), version=1,
        )  # fmt: skip
        try:
            stored = self._reviews.add(review)
        except Conflict as error:
            self._update_rating(product.id)  # a first attempt may have ended between the two writes
            raise RuleViolation("review-exists", "You have reviewed this product already.") from error
        self._update_rating(product.id)
        return stored

    def remove(self, id: str) -> None:
        """Delete a review, and take its stars out of the average."""
        review = self._reviews.get(id)
        self._reviews.delete(review)
        self._update_rating(review.product_id)

    def _update_rating(self, product_id: str) -> None:
        """Sum up all reviews into the product; the last writer is right."""

        def change(product: Product) -> None:
            rows = self._reviews.rows("stars", key=product_id)
            stars = rows[0].value if rows else {"sum": 0, "count": 0}
            product.set_rating(Rating(int(stars["sum"]), int(stars["count"])))

        self._products.update(product_id, change)

    def _has_bought(self, account_id: str, product_id: str) -> bool:
        bought = iter_all(self._purchases.find, "account", {"account_id": account_id}, limit=100)
        return any(product_id in one.quantities and not one.cancelled for one in bought)


def _hash_account(account_id: str) -> str:
    """Return a hash of the account for the document's id, which stays when the person is erased."""
    return hashlib.sha256(account_id.encode()).hexdigest()[:32]
