"""Made-up shoppers with tastes, as logs_svc and catalog_svc would tell of them: for speed, not quality."""

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
FAITHFUL = 0.7  # of what somebody does is within their taste
DAYS = 180
VISIT = 5  # things that somebody does in a row
_TYPES = ("view",) * 12 + ("click",) * 5 + ("add_to_cart",) * 3 + ("purchase",)


class Shoppers:
    """Made-up shoppers, the same for the same numbers, but for the time, which ends now.

    Activity is log-normal (sigma 1), popularity Zipf (exponent 0.8), time even over half a year.
    """

    def __init__(self, *, events: int, products: int, people: int, seed: int = SEED) -> None:
        self.products, self.people = products, people
        self._began = datetime.now(UTC) - timedelta(days=DAYS)
        dice = random.Random(seed)  # noqa: S311 - the same shoppers every time
        activity = list(accumulate(dice.lognormvariate(0, 1) for _ in range(people)))
        ranks = list(accumulate((place + 1) ** -0.8 for place in range(products)))
        shelf = list(accumulate((place + 1) ** -0.8 for place in range(-(-products // TASTES))))
        self._who = array("l", dice.choices(range(people), cum_weights=activity, k=events))
        anywhere = dice.choices(range(products), cum_weights=ranks, k=events)
        within = dice.choices(range(len(shelf)), cum_weights=shelf, k=events)
        self._what = array("l")
        for who, any_product, place in zip(self._who, anywhere, within, strict=True):
            own = place * TASTES + who % TASTES
            self._what.append(own if own < products and dice.random() < FAITHFUL else any_product)
        self._types = bytes(dice.choices(range(len(_TYPES)), k=events))
        done: Counter[int] = Counter()
        self._visit = array("l")
        for who in self._who:
            self._visit.append(done[who] // VISIT)
            done[who] += 1

    def __len__(self) -> int:
        return len(self._who)

    def event(self, place: int) -> dict[str, Any]:
        """As logs_svc gives it to reco."""
        who = self._who[place]
        at = self._began + timedelta(days=DAYS) * (place / len(self))
        return {
            "id": str(uuid.UUID(int=place)),
            "type": _TYPES[self._types[place]],
            "user": self.person(place),
            "session": f"s{who}-{self._visit[place]}",
            "product_id": self.product(place),
            "quantity": 1,
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {},
        }

    def person(self, place: int) -> str:
        """Who did it: an account's id."""
        return f"u{self._who[place]}"

    def product(self, place: int) -> str:
        return f"p{self._what[place]}"

    def fact(self, number: int) -> dict[str, Any]:
        """Return a product as catalog_svc tells of it."""
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
