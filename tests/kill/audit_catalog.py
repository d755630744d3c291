"""The auditor of what shoppers see: lists, search, prices and availability against the documents.

    python -m tests.kill.audit_catalog --couch URL --shop URL

It reads documents by HTTP from CouchDB and answers by HTTP from the public API, product by product. It shares
no code with the services. Standard library only. Exit code 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.kill.audit import Couch, Document

#: With so many units or fewer a variant is `low` (docs/api.md).
LOW = 5
LIST = "/api/catalog/products"
#: Answers a path of the public API: status, and its JSON.
Get = Callable[[str], tuple[int, Any]]


@dataclass
class Shelf:
    """What the documents say, by product id; and what the public API says, by the order of its lists."""

    products: dict[str, Document]
    parents: dict[str, str | None]
    units: dict[str, int]
    sold: Counter[str]
    lists: dict[str, list[Document]]
    categories: dict[str, int]
    searches: dict[str, dict[str, list[str]]]
    pages: dict[str, tuple[int, Document]]

    @property
    def for_sale(self) -> dict[str, Document]:
        return {id: doc for id, doc in self.products.items() if is_for_sale(doc)}

    def availability(self, variants: list[Document]) -> str:
        """Return the best of these variants, in the public's words."""
        units = max((self.units.get(variant["sku"], 0) for variant in variants), default=0)
        return "out" if units <= 0 else "low" if units <= LOW else "in_stock"


def is_for_sale(document: Document) -> bool:
    return document["status"] == "active" and bool(document["variants"])


def lists_are_complete(shelf: Shelf) -> Iterator[str]:
    """Every list shows each product that is for sale once, and no other."""
    for sort, cards in shelf.lists.items():
        shown = Counter(card["id"] for card in cards)
        yield from (f"list {sort}: {_name(shelf, id)} is missing" for id in shelf.for_sale if id not in shown)
        yield from (
            f"list {sort}: {_name(shelf, id)} is not for sale" for id in shown if id not in shelf.for_sale
        )
        yield from (f"list {sort}: {_name(shelf, id)} shows {n} times" for id, n in shown.items() if n > 1)


def cards_are_true(shelf: Shelf) -> Iterator[str]:
    """Return a card's title, price and availability are the documents'."""
    for sort, cards in shelf.lists.items():
        for card in cards:
            document = shelf.for_sale.get(card["id"])
            if document is not None:
                for name, wanted in _card(shelf, document).items():
                    if card[name] != wanted:
                        yield f"list {sort}: {_name(shelf, card['id'])}: {name} {card[name]}, not {wanted}"


def _card(shelf: Shelf, document: Document) -> Document:
    cheapest = min(document["variants"], key=lambda variant: variant["price"]["amount"])
    before = cheapest.get("compare_at_price")
    is_reduced = before is not None and before["amount"] > cheapest["price"]["amount"]
    return {
        "slug": document["slug"],
        "title": document["title"],
        "category": document["category"],
        "price_from": cheapest["price"],
        "compare_at_price": before if is_reduced else None,
        "availability": shelf.availability(document["variants"]),
    }


def orders_are_true(shelf: Shelf) -> Iterator[str]:
    """Return lists by price and by popularity are in that order."""
    prices = [card["price_from"]["amount"] for card in shelf.lists.get("price", ())]
    if prices != sorted(prices):
        yield f"list price: not in order: {prices}"
    bought = [shelf.sold[card["id"]] for card in shelf.lists.get("popular", ())]
    if bought != sorted(bought, reverse=True):
        yield f"list popular: not in the order of what was bought: {bought}"


def categories_are_complete(shelf: Shelf) -> Iterator[str]:
    """Each category lists so many products as it has, what is below it included."""
    wanted: Counter[str] = Counter()
    for document in shelf.for_sale.values():
        slug: str | None = document["category"]
        while slug is not None:
            wanted[slug] += 1
            slug = shelf.parents.get(slug)
    for slug, count in shelf.categories.items():
        if count != wanted[slug]:
            yield f"category {slug}: {count} products, not {wanted[slug]}"


def searches_find(shelf: Shelf) -> Iterator[str]:
    """Return a product is found by its title and by each SKU."""
    for id, found in shelf.searches.items():
        yield from (
            f"search {q!r}: {_name(shelf, id)} is not found" for q, ids in found.items() if id not in ids
        )


def pages_are_true(shelf: Shelf) -> Iterator[str]:
    """Check that a product's page has its variants, and that what is not for sale has none."""
    for id, document in shelf.products.items():
        status, page = shelf.pages[id]
        if not is_for_sale(document):
            if status not in (404, 410):
                yield f"page: {_name(shelf, id)} is not for sale and answers {status}"
            continue
        if status != 200:
            yield f"page: {_name(shelf, id)} answers {status}"
            continue
        shown = {v["sku"]: (v["price"], v["availability"]) for v in page["variants"]}
        wanted = {v["sku"]: (v["price"], shelf.availability([v])) for v in document["variants"]}
        if shown != wanted:
            yield f"page: {_name(shelf, id)}: {shown}, not {wanted}"


CHECKS = (
    lists_are_complete,
    cards_are_true,
    orders_are_true,
    categories_are_complete,
    searches_find,
    pages_are_true,
)


def audit_catalog(shelf: Shelf) -> list[str]:
    """Return what is wrong, one line each; empty when all is well."""
    return [finding for check in CHECKS for finding in check(shelf)]


def _name(shelf: Shelf, id: str) -> str:
    return f"{shelf.products.get(id, {}).get('slug', 'a product that does not exist')} ({id})"


# -- gathering


class Unanswered(Exception):
    """The public API answers with something else than what was asked for."""


def gather_catalog(couch: Any, get: Get) -> Shelf:
    """Read the documents, and then everything that shoppers see of them.

    `couch` is a `Couch`, or whatever has its `documents`. Raises `Unanswered`.
    """
    catalog, stock = couch.documents("catalog"), couch.documents("stock")
    products = {doc["_id"].partition(":")[2]: doc for doc in catalog if doc.get("type") == "product"}
    categories = [doc for doc in catalog if doc.get("type") == "category" and not doc.get("deleted")]
    parents = {doc["_id"].partition(":")[2]: doc.get("parent") for doc in categories}
    for_sale = {id: doc for id, doc in products.items() if is_for_sale(doc)}
    return Shelf(
        products=products,
        parents=parents,
        units={doc["_id"].partition(":")[2]: _available(doc) for doc in stock if doc.get("type") == "stock"},
        sold=_sold(catalog),
        lists={sort: _whole_list(get, sort) for sort in ("popular", "price", "newest")},
        categories={slug: int(_ask(get, f"{LIST}?category={slug}&limit=1")["total"]) for slug in parents},
        searches={id: _searches(get, doc) for id, doc in for_sale.items()},
        pages={id: get(f"{LIST}/{doc['slug']}") for id, doc in products.items()},
    )


def _available(document: Document) -> int:
    return int(document["on_hand"]) - sum(hold["quantity"] for hold in document["reservations"].values())


def _sold(catalog: list[Document]) -> Counter[str]:
    sold: Counter[str] = Counter()
    for document in catalog:
        if document.get("type") == "purchase" and not document.get("cancelled"):
            sold.update(document["quantities"])
    return sold


def _whole_list(get: Get, sort: str) -> list[Document]:
    cards: list[Document] = []
    cursor = ""
    while True:
        page = _ask(get, f"{LIST}?sort={sort}&limit=100{cursor}")
        cards += page["results"]
        if not page["next"]:
            return cards
        cursor = f"&cursor={urllib.parse.quote(page['next'])}"


def _searches(get: Get, document: Document) -> dict[str, list[str]]:
    words = [document["title"], *(variant["sku"] for variant in document["variants"])]
    found = {q: _ask(get, f"{LIST}?limit=100&q={urllib.parse.quote(q)}") for q in words}
    return {q: [card["id"] for card in page["results"]] for q, page in found.items() if page["total"] <= 100}


def _ask(get: Get, path: str) -> Any:
    status, body = get(path)
    if status != 200:
        raise Unanswered(f"{path}: {status} {str(body)[:200]}")
    return body


def getter(url: str) -> Get:
    """Return what asks the shop at `url`."""

    def get(path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(url + path, timeout=30) as answer:  # noqa: S310 - the operator's own shop
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")

    return get


def findings_of(couch: Any, get: Get) -> list[str]:
    """Gather and audit; what does not answer is a finding too."""
    try:
        return audit_catalog(gather_catalog(couch, get))
    except (Unanswered, OSError, ValueError) as error:
        return [f"the catalogue cannot be read: {error}"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--couch", required=True, help="URL with user and password")
    parser.add_argument("--shop", required=True, help="URL of the shop")
    parser.add_argument("--prefix", default="", help="put before each database's name")
    options = parser.parse_args()
    findings = findings_of(Couch(options.couch, options.prefix), getter(options.shop))
    print("\n".join([*findings, f"{len(findings)} findings"]))  # noqa: T201 - a command
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
