"""Made-up shoppers with tastes, as logs_svc and catalog_svc would send them: for speed, not quality."""

from __future__ import annotations

import random
import uuid
from array import array
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

SEED = 7
TASTES = 50
TASTE_SHARE = 0.7  # of what somebody does is within their taste
DAYS = 180
VISIT_LENGTH = 5  # things that somebody does in a row
_TYPES = ("view",) * 12 + ("click",) * 5 + ("add_to_cart",) * 3 + ("purchase",)


class Shoppers:
    """Made-up shoppers, the same for the same numbers, but for the time, which ends now.

    Activity is log-normal (sigma 1), popularity Zipf (exponent 0.8), time even over half a year.
    """

    def __init__(self, *, events: int, products: int, people: int, seed: int = SEED) -> None:
        self.products, self.people = products, people
        self._began = datetime.now(UTC) - timedelta(days=DAYS)
        rng = random.Random(seed)  # noqa: S311 - the same shoppers every time
        activity = list(accumulate(rng.lognormvariate(0, 1) for _ in range(people)))
        ranks = list(accumulate((place + 1) ** -0.8 for place in range(products)))
        shelf = list(accumulate((place + 1) ** -0.8 for place in range(-(-products // TASTES))))
        self._people = array("l", rng.choices(range(people), cum_weights=activity, k=events))
        anywhere = rng.choices(range(products), cum_weights=ranks, k=events)
        within = rng.choices(range(len(shelf)), cum_weights=shelf, k=events)
        self._products = array("l")
        for person, any_product, place in zip(self._people, anywhere, within, strict=True):
            own = place * TASTES + person % TASTES
            self._products.append(own if own < products and rng.random() < TASTE_SHARE else any_product)
        self._types = bytes(rng.choices(range(len(_TYPES)), k=events))
        done: Counter[int] = Counter()
        self._visit = array("l")
        for person in self._people:
            self._visit.append(done[person] // VISIT_LENGTH)
            done[person] += 1

    def __len__(self) -> int:
        return len(self._people)

    def event(self, place: int) -> dict[str, Any]:
        """As logs_svc gives it to reco."""
        person = self._people[place]
        at = self._began + timedelta(days=DAYS) * (place / len(self))
        return {
            "id": str(uuid.UUID(int=place)),
            "type": _TYPES[self._types[place]],
            "user": self.account_id(place),
            "session": f"s{person}-{self._visit[place]}",
            "product_id": self.product_id(place),
            "quantity": 1,
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {},
        }

    def account_id(self, place: int) -> str:
        """Who did it: an account's id."""
        return f"u{self._people[place]}"

    def product_id(self, place: int) -> str:
        return f"p{self._products[place]}"

    def product_event(self, number: int) -> dict[str, Any]:
        """Return a product as an event of catalog_svc."""
        id, shelf = f"p{number}", category(number)
        return {
            "id": str(uuid.UUID(int=number)),
            "type": "product.changed",
            "source": "catalog",
            "subject": id,
            "seq": 1,
            "at": self._began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {
                "product_id": id,
                "slug": id,
                "title": f"Thing {number} of {shelf}",
                "brand": f"Brand {number % 97}",
                "category": shelf,
                "categories": [shelf],
                "status": "active",
                "price_from": {"amount": 1000 + number, "currency": "EUR"},
                "skus": {f"sku-{number}": "in_stock"},
            },
        }


def category(number: int) -> str:
    """Return the shelf of a product: things of one taste stand together."""
    return f"shelf-{number % TASTES}"
