"""The auditor of what shoppers see: it must find each kind of fault, and nothing where nothing is wrong."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest

from tests.kill.audit_catalog import LIST, Shelf, audit_catalog, findings_of, gather_catalog


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


CATALOG = [
    {"_id": "category:food", "type": "category", "parent": None},
    {"_id": "category:drinks", "type": "category", "parent": "food"},
    {
        "_id": "product:p1", "type": "product", "status": "active", "slug": "tea", "title": "Tea",
        "category": "drinks",
        "variants": [{"sku": "TEA", "price": eur(500), "compare_at_price": eur(700)}],
    },
    {
        "_id": "product:p2", "type": "product", "status": "active", "slug": "bread", "title": "Bread",
        "category": "food", "variants": [{"sku": "BREAD", "price": eur(300)}],
    },
    {"_id": "product:p3", "type": "product", "status": "hidden", "slug": "old", "title": "Old",
     "category": "food", "variants": [{"sku": "OLD", "price": eur(1)}]},
    {"_id": "purchase:HM-1", "type": "purchase", "quantities": {"p1": 2}},
    {"_id": "purchase:HM-2", "type": "purchase", "quantities": {"p2": 9}, "cancelled": True},
]  # fmt: skip
STOCK = [
    {"_id": "stock:TEA", "type": "stock", "on_hand": 9, "reservations": {"HM-3": {"quantity": 5}}},
    {"_id": "stock:BREAD", "type": "stock", "on_hand": 50, "reservations": {}},
]
TEA = {
    "id": "p1", "slug": "tea", "title": "Tea", "category": "drinks", "price_from": eur(500),
    "compare_at_price": eur(700), "availability": "low",
}  # fmt: skip
BREAD = {
    "id": "p2", "slug": "bread", "title": "Bread", "category": "food", "price_from": eur(300),
    "compare_at_price": None, "availability": "in_stock",
}  # fmt: skip


class Databases:
    def documents(self, database: str) -> list[dict[str, Any]]:
        return {"catalog": CATALOG, "stock": STOCK}[database]


def shop(path: str) -> tuple[int, Any]:
    """Return the public API of a shop that is right; its lists come in pages of one."""
    pages = {
        "tea": {"variants": [{"sku": "TEA", "price": eur(500), "availability": "low"}]},
        "bread": {"variants": [{"sku": "BREAD", "price": eur(300), "availability": "in_stock"}]},
    }
    cards = [BREAD, TEA] if "sort=price" in path else [TEA, BREAD]
    if "sort=" in path:
        return 200, (
            {"results": cards[1:], "next": None}
            if "cursor=" in path
            else {"results": cards[:1], "next": "one more"}
        )
    if "category=" in path:
        return 200, {"total": 2 if "category=food" in path else 1}
    if "q=" in path:
        return 200, {"results": [card for card in cards if card["title"].lower() in path.lower()], "total": 1}
    slug = path.removeprefix(f"{LIST}/")
    return (200, pages[slug]) if slug in pages else (404, "no such product")


def the_shelf() -> Shelf:
    return gather_catalog(Databases(), shop)


def test_where_nothing_is_wrong_nothing_is_found():
    assert audit_catalog(the_shelf()) == []


def test_a_shop_that_does_not_answer_is_a_finding():
    assert findings_of(Databases(), lambda path: (503, "away"))[0].startswith("the catalogue cannot be read")


FAULTS = {
    "list popular: tea (p1) is missing": lambda s: s.lists["popular"].pop(0),
    "list newest: old (p3) is not for sale": lambda s: s.lists["newest"].append({**TEA, "id": "p3"}),
    "list newest: tea (p1) shows 2 times": lambda s: s.lists["newest"].append(TEA),
    "list price: tea (p1): price_from": lambda s: s.lists["price"].__setitem__(
        1, {**TEA, "price_from": eur(501)}
    ),
    "list price: tea (p1): compare_at_price": lambda s: s.products["p1"]["variants"][0].update(
        compare_at_price=None
    ),
    "list popular: tea (p1): availability": lambda s: s.units.update(TEA=6),
    "list popular: not in the order": lambda s: s.sold.update(Counter(p2=9)),
    "list price: not in order": lambda s: s.lists["price"].reverse(),
    "category food: 1 products, not 2": lambda s: s.categories.update(food=1),
    "search 'TEA': tea (p1) is not found": lambda s: s.searches["p1"].update(TEA=[]),
    "page: old (p3) is not for sale and answers 200": lambda s: s.pages.update(p3=(200, {})),
    "page: tea (p1) answers 404": lambda s: s.pages.update(p1=(404, {})),
    "page: bread (p2): ": lambda s: s.units.update(BREAD=0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault):
    shelf = copy.deepcopy(the_shelf())

    FAULTS[fault](shelf)

    assert [finding for finding in audit_catalog(shelf) if finding.startswith(fault)]
