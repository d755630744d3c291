"""Stock for orders, over the internal routes, and events about orders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog import container
from chassis.messaging import Envelope, Rejected
from chassis.testing.identity import bearer, service_headers
from shop import category, product, small_shop


def checkout() -> dict[str, str]:
    """Return fresh headers of checkout, whose token expires after a minute."""
    return service_headers("checkout", "catalog")


@pytest.fixture
def shop(world: Any) -> Any:
    category(world.parts, "lamps")
    for name, units in (("Lamp", 3), ("Bulb", 5), ("Shade", 0)):
        product(world.parts, name, units=units)
    return world


def reserve(client: APIClient, order_id: str, *lines: tuple[str, int], headers: Any = None) -> Any:
    body = {
        "order_id": order_id,
        "ttl": 900,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
    }
    return client.post(
        "/internal/reservations", body, format="json", headers=checkout() if headers is None else headers
    )


def finish(client: APIClient, how: str, order_id: str, *skus: str) -> Any:
    body = {"lines": [{"sku": sku, "quantity": 1} for sku in skus]} if skus else None
    given = {"data": body, "format": "json"} if body else {}
    return client.post(f"/internal/reservations/{order_id}/{how}", **given, headers=checkout())


def units(shop: Any, sku: str) -> tuple[int, int]:
    stock = shop.parts.stock.get(sku)
    return stock.on_hand, stock.available


def test_reserve_and_commit_may_be_repeated(shop, client):
    made = [reserve(client, "HM-1", ("LAMP", 2), ("BULB", 1)) for _ in range(2)]
    paid = [finish(client, "commit", "HM-1", "LAMP", "BULB") for _ in range(2)]
    late = reserve(client, "HM-1", ("LAMP", 2), ("BULB", 1))

    assert [a.status_code for a in (*made, *paid, late)] == [201, 201, 200, 200, 201]
    assert (units(shop, "LAMP"), units(shop, "BULB")) == ((1, 1), (4, 4))


def test_a_short_line_reserves_nothing_and_all_short_skus_are_named(shop, client):
    answer = reserve(client, "HM-1", ("SHADE", 1), ("LAMP", 4), ("BULB", 1))

    assert (answer.status_code, answer.json()["type"]) == (409, "out-of-stock")
    assert answer.json()["short"] == [{"sku": "LAMP", "available": 3}, {"sku": "SHADE", "available": 0}]
    assert units(shop, "BULB") == (5, 5)


def test_an_order_that_was_short_may_try_again(shop, client):
    reserve(client, "HM-1", ("BULB", 1), ("SHADE", 1))
    shop.parts.stock.set_on_hand(sku="SHADE", on_hand=1)

    assert reserve(client, "HM-1", ("BULB", 1), ("SHADE", 1)).status_code == 201


@pytest.mark.parametrize("skus", [(), ("LAMP", "BULB")])
def test_a_released_order_returns_its_units_and_cannot_reserve_again(shop, client, skus):
    reserve(client, "HM-1", ("LAMP", 2), ("BULB", 1))

    released = [finish(client, "release", "HM-1", *skus) for _ in range(2)]
    late = reserve(client, "HM-1", ("LAMP", 2), ("BULB", 1))
    paid = finish(client, "commit", "HM-1", "LAMP")

    assert [a.status_code for a in released] == [200, 200]
    assert [(a.status_code, a.json()["type"]) for a in (late, paid)] == [(409, "reservation-released")] * 2
    assert (units(shop, "LAMP"), units(shop, "BULB")) == ((3, 3), (5, 5))


def test_a_release_before_its_reservation_wins(shop, client):
    finish(client, "release", "HM-1", "LAMP")

    assert reserve(client, "HM-1", ("LAMP", 1)).status_code == 409


def test_unknown_skus_and_orders_are_reported(shop, client):
    sku = reserve(client, "HM-1", ("LAMP", 1), ("NOPE", 1))
    order = finish(client, "commit", "HM-9", "LAMP")

    assert (sku.status_code, sku.json()["type"], sku.json()["skus"]) == (422, "unknown-sku", ["NOPE"])
    assert (order.status_code, order.json()["type"]) == (409, "reservation-unknown")


@pytest.mark.parametrize(
    "lines", [[("LAMP", 0)], [("LAMP", -1)], [("LAMP", 1.5)], [("LAMP", 1), ("LAMP", 1)], [], [("a/b", 1)]]
)
def test_invalid_lines_are_refused(shop, client, lines):
    assert reserve(client, "HM-1", *lines).status_code == 400


@pytest.mark.parametrize("headers", [{}, bearer(roles=["admin"]), service_headers("reco", "catalog")])
def test_only_checkout_reserves(shop, client, headers):
    assert reserve(client, "HM-1", ("LAMP", 1), headers=headers).status_code in (401, 403)


def test_services_read_the_skus_for_sale(shop, client):
    shop.parts.products.update(slug="bulb", changes={"status": "hidden"})

    answer = client.get("/internal/skus?sku=BULB,LAMP,NOPE", headers=service_headers("cart", "catalog"))

    assert answer.json() == [
        {
            "sku": "LAMP",
            "product_id": "p0001",
            "slug": "lamp",
            "title": "Lamp",
            "attributes": {},
            "image": None,
            "price": {"amount": 1999, "currency": "EUR"},
            "availability": "low",
            "tax_class": "standard",
            "weight": 0,
        }
    ]


@pytest.mark.parametrize("query", ["", "sku=", "sku=a/b", "sku=" + ",".join("a" * 201)])
def test_an_invalid_list_of_skus_is_refused(shop, client, query):
    assert client.get(f"/internal/skus?{query}", headers=checkout()).status_code == 400


def event(type: str, **data: Any) -> Envelope:
    return Envelope("e1", type, "checkout", "HM-1", 1, datetime(2026, 3, 1, tzinfo=UTC), data)


def confirmed(order_id: str = "HM-1", account_id: str | None = "a1", quantity: int = 2) -> Envelope:
    lines = [{"sku": "LAMP", "product_id": "p0001", "quantity": quantity}]
    return event("order.confirmed", order_id=order_id, account_id=account_id, lines=lines)


def test_an_order_counts_once_for_popularity(world):
    small_shop(world.parts)
    handle = container.HANDLERS

    results = [handle["order.confirmed"](confirmed()) for _ in range(2)]
    other = handle["order.confirmed"](confirmed("HM-2", None, 5))
    cancelled = handle["order.cancelled"](event("order.cancelled", order_id="HM-2"))
    rows = world.parts.indexer._sources.purchases.rows("sold", group=True)

    assert (results, other, cancelled) == (["done", "duplicate"], "done", "done")
    assert [(row.key, row.value) for row in rows] == [("p0001", 2)]


def test_a_malformed_event_is_rejected(world):
    with pytest.raises(Rejected):
        container.HANDLERS["order.confirmed"](event("order.confirmed", order_id="HM-1"))


def test_one_review_per_shopper_with_verified_purchase(shop, client):
    container.HANDLERS["order.confirmed"](confirmed())
    path = "/api/catalog/products/lamp/reviews"
    body = {"rating": 4, "title": "Bright", "body": "Very."}

    first = client.post(path, body, format="json", headers=bearer(sub="a1"))
    second = client.post(path, body, format="json", headers=bearer(sub="a1"))
    other = client.post(path, {**body, "rating": 5}, format="json", headers=bearer(sub="a2"))
    shop.catch_up()

    assert (first.status_code, first.json()["verified_purchase"]) == (201, True)
    assert (second.status_code, second.json()["type"]) == (409, "review-exists")
    assert (other.status_code, other.json()["verified_purchase"]) == (201, False)
    assert client.get(path, {"limit": 1}).json()["next"] is not None
    assert client.get("/api/catalog/products/lamp").json()["rating"] == {"average": 4.5, "count": 2}
    assert client.get("/api/catalog/products", {"rating": 4}).json()["total"] == 1
    assert client.post(path, body, format="json").status_code == 401


def test_reviews_have_cache_headers(shop, client):
    path = "/api/catalog/products/lamp/reviews"

    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, first.json()) == (200, {"results": [], "next": None})
    assert first["Cache-Control"] == again["Cache-Control"] == "public, max-age=2"
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_an_erased_account_leaves_anonymous_reviews(shop, client):
    container.HANDLERS["order.confirmed"](confirmed(account_id="account-one"))
    body = {"rating": 4, "title": "Bright"}
    client.post("/api/catalog/products/lamp/reviews", body, format="json", headers=bearer(sub="account-one"))

    container.HANDLERS["account.erased"](event("account.erased", account_id="account-one"))

    assert client.get("/api/catalog/products/lamp/reviews").json()["results"][0]["title"] == "Bright"
    assert "account-one" not in str(
        [change.doc for change in shop.stores["catalog"].changes(0, limit=1000).results]
    )
