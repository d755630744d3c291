"""Staff add, change and delete products and categories, and set stock."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from chassis.testing import bad_input
from chassis.testing.identity import bearer, staff
from chassis.testing.permissions import assert_every_view_declares_permissions
from shop import category, product

PRODUCTS = "/api/catalog/products"
CATEGORIES = "/api/catalog/categories"
EDITOR = staff("catalog.product.read", "catalog.product.write", "catalog.category.write")
KEEPER = staff("catalog.stock.read", "catalog.stock.write")
LAMP = {
    "title": "Desk lamp",
    "description": "Bends.",
    "brand": "Lumen",
    "category": "lamps",
    "variants": [{"sku": "LAMP-1", "price": {"amount": 4900, "currency": "EUR"}}],
}


@pytest.fixture
def shop(world: Any) -> Any:
    category(world.parts, "home")
    category(world.parts, "lamps", parent="home")
    world.catch_up()
    return world


def send(
    client: APIClient, method: str, path: str, body: Any = None, headers: Any = EDITOR, **more: str
) -> Any:
    call = getattr(client, method)
    given = {} if body is None else {"data": body, "format": "json"}
    return call(path, **given, headers={**headers, **more})


def test_every_view_declares_permissions():
    assert_every_view_declares_permissions()


def test_a_new_product_is_returned_and_readable_at_once(shop, client):
    answer = send(client, "post", PRODUCTS, LAMP)

    assert (answer.status_code, answer["ETag"], answer["Location"]) == (201, '"1"', f"{PRODUCTS}/desk-lamp")
    assert answer.json()["breadcrumbs"] == [
        {"slug": "home", "title": "Home"},
        {"slug": "lamps", "title": "Lamps"},
    ]
    assert client.get(f"{PRODUCTS}/desk-lamp").json() == answer.json()


def test_a_new_product_is_published_and_audited(shop, client):
    send(client, "post", PRODUCTS, LAMP)

    events = [event for event in shop.events() if event["subject"] == "p0001"]
    assert [(event["type"], event["seq"]) for event in events] == [
        ("product.changed", 1),
        ("audit.recorded", 2),
    ]
    assert events[0]["data"] == {
        "product_id": "p0001",
        "slug": "desk-lamp",
        "title": "Desk lamp",
        "brand": "Lumen",
        "category": "lamps",
        "categories": ["home", "lamps"],
        "status": "active",
        "price_from": {"amount": 4900, "currency": "EUR"},
        "skus": {"LAMP-1": "out"},
    }
    assert (events[1]["data"]["actor"], events[1]["data"]["action"]) == ("staff-1", "add")


def test_names_are_unique(shop, client):
    send(client, "post", PRODUCTS, LAMP)

    same_sku = send(client, "post", PRODUCTS, LAMP)
    same_slug = send(client, "post", PRODUCTS, {**LAMP, "slug": "desk-lamp", "variants": _variants("B")})
    same_title = send(client, "post", PRODUCTS, {**LAMP, "variants": _variants("B")})

    assert (same_sku.status_code, same_sku.json()["type"]) == (409, "sku-taken")
    assert (same_slug.status_code, same_slug.json()["type"]) == (409, "slug-taken")
    assert (same_title.status_code, same_title.json()["slug"]) == (201, "desk-lamp-2")


def _variants(sku: str, amount: int = 4900) -> list[dict[str, Any]]:
    return [{"sku": sku, "price": {"amount": amount, "currency": "EUR"}}]


def test_an_edit_requires_if_match(shop, client):
    send(client, "post", PRODUCTS, LAMP)
    shop.catch_up()
    path = f"{PRODUCTS}/desk-lamp"
    tag = client.get(path)["ETag"]

    missing = send(client, "patch", path, {"title": "New"})
    good = send(client, "patch", path, {"title": "New"}, **{"If-Match": tag})
    stale = send(client, "patch", path, {"title": "Newer"}, **{"If-Match": tag})
    weak = send(client, "patch", path, {"title": "Newest"}, **{"If-Match": 'W/"2-abc"'})

    assert [answer.status_code for answer in (missing, good, stale, weak)] == [428, 200, 412, 200]
    assert (good["ETag"], good.json()["title"]) == ('"2"', "New")
    assert client.get(path).json()["title"] == "Newest"


def test_a_new_price_shows_in_lists_once_indexed(shop, client):
    send(client, "post", PRODUCTS, LAMP)
    send(
        client, "patch", f"{PRODUCTS}/desk-lamp", {"variants": _variants("LAMP-1", 3900)}, **{"If-Match": "*"}
    )
    shop.catch_up()

    assert client.get(PRODUCTS).json()["results"][0]["price_from"] == {"amount": 3900, "currency": "EUR"}


def test_a_deleted_product_is_gone_and_its_names_are_free(shop, client):
    send(client, "post", PRODUCTS, LAMP)
    shop.catch_up()

    answer = send(client, "delete", f"{PRODUCTS}/desk-lamp", **{"If-Match": '"1"'})

    assert (answer.status_code, client.get(f"{PRODUCTS}/desk-lamp").status_code) == (204, 404)
    shop.catch_up()
    assert client.get(PRODUCTS).json()["results"] == []
    assert [event["type"] for event in shop.events()].count("product.deleted") == 1
    assert send(client, "post", PRODUCTS, LAMP).status_code == 201


def test_a_changed_slug_moves_the_page(shop, client):
    send(client, "post", PRODUCTS, LAMP)

    moved = send(client, "patch", f"{PRODUCTS}/desk-lamp", {"slug": "lamp"}, **{"If-Match": '"1"'})

    assert moved.status_code == 200
    assert send(client, "get", f"{PRODUCTS}/lamp").status_code == 200
    assert send(client, "get", f"{PRODUCTS}/desk-lamp").status_code == 404


def test_removed_variants_release_their_skus(shop, client):
    send(client, "post", PRODUCTS, LAMP)
    send(client, "patch", f"{PRODUCTS}/desk-lamp", {"variants": _variants("OTHER")}, **{"If-Match": "*"})

    assert send(client, "post", PRODUCTS, {**LAMP, "title": "Twin"}).status_code == 201


def test_hidden_products_are_for_staff(shop, client):
    send(client, "post", PRODUCTS, {**LAMP, "status": "hidden"})

    assert client.get(f"{PRODUCTS}/desk-lamp").status_code == 404
    assert send(client, "get", f"{PRODUCTS}/desk-lamp").json()["status"] == "hidden"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\u0000b"}, None),
        ({"title": 7}, "title"),
        ({"price": 1}, "price"),
        ({"id": "p9"}, "id"),
        ({"rating": {"average": 5, "count": 1}}, "rating"),
        ({"category": "No Slug"}, "category"),
        ({"status": "deleted"}, "status"),
        ({"slug": "../x"}, "slug"),
        ({"variants": []}, "variants"),
        ({"variants": _variants("A", 0)}, None),
        ({"variants": _variants("A", -1)}, None),
        ({"variants": _variants("A", 10**18)}, None),
        ({"variants": [{"sku": "A", "price": {"amount": 1.5, "currency": "EUR"}}]}, None),
        ({"variants": [{"sku": "A", "price": {"amount": "1", "currency": "EUR"}}]}, None),
        ({"variants": [{"sku": "A", "price": {"amount": 1, "currency": "USD"}}]}, None),
        ({"variants": [{"sku": "A/B", "price": {"amount": 1, "currency": "EUR"}}]}, None),
        ({"variants": [{**_variants("A")[0], "attributes": {"Big Name": "x"}}]}, None),
        ({"variants": [{**_variants("A")[0], "attributes": {"size": 4}}]}, None),
        ({"variants": [{**_variants("A")[0], "cost": 4}]}, None),
        ({"variants": "all"}, None),
        ({"variants": [None]}, None),
    ],
)
def test_an_invalid_product_is_refused(shop, client, change, field):
    answer = send(client, "post", PRODUCTS, {**LAMP, **change})

    assert answer.status_code == 400, answer.content
    assert field is None or field in answer.json()["errors"]


@pytest.mark.parametrize(
    "body", [*bad_input.BODIES, *bad_input.NOT_OBJECTS], ids=range(len(bad_input.BODIES) + 6)
)
def test_a_malformed_body_is_a_bad_request(shop, client, body):
    answer = client.post(PRODUCTS, body, content_type="application/json", headers=EDITOR)

    assert answer.status_code == 400


def test_rule_violations_differ_from_invalid_input(shop, client):
    nowhere = send(client, "post", PRODUCTS, {**LAMP, "category": "nowhere"})
    duplicates = send(client, "post", PRODUCTS, {**LAMP, "variants": [*_variants("A"), *_variants("B")]})
    nothing = send(client, "post", PRODUCTS, LAMP) and send(
        client, "patch", f"{PRODUCTS}/desk-lamp", {}, **{"If-Match": "*"}
    )

    assert [(a.status_code, a.json()["type"]) for a in (nowhere, duplicates)] == [
        (422, "unknown-category"),
        (422, "same-attributes"),
    ]
    assert nothing.status_code == 400


@pytest.mark.parametrize("headers", [{}, bearer(), KEEPER])
def test_shoppers_and_other_staff_write_nothing(shop, client, headers):
    product(shop.parts, "Lamp")

    refused = 401 if not headers else 403
    for method, path in [
        ("post", PRODUCTS),
        ("patch", f"{PRODUCTS}/lamp"),
        ("delete", f"{PRODUCTS}/lamp"),
        ("post", CATEGORIES),
        ("patch", f"{CATEGORIES}/lamps"),
        ("delete", f"{CATEGORIES}/lamps"),
    ]:
        assert send(client, method, path, {}, headers=headers).status_code == refused


def test_a_category_is_created_changed_and_deleted(shop, client):
    made = send(client, "post", CATEGORIES, {"title": "Garden lamps", "parent": "lamps"})
    path = f"{CATEGORIES}/garden-lamps"
    changed = send(client, "patch", path, {"title": "Adapters"}, **{"If-Match": made["ETag"]})
    stale = send(client, "patch", path, {"title": "Inside"}, **{"If-Match": made["ETag"]})
    missing = send(client, "delete", path)
    gone = send(client, "delete", path, **{"If-Match": changed["ETag"]})
    again = send(client, "post", CATEGORIES, {"title": "Garden lamps"})

    assert (made.status_code, made.json()) == (
        201,
        {"slug": "garden-lamps", "title": "Garden lamps", "parent": "lamps", "position": 0},
    )
    assert [a.status_code for a in (changed, stale, missing, gone, again)] == [200, 412, 428, 204, 201]


def test_a_category_in_use_cannot_be_deleted(shop, client):
    product(shop.parts, "Lamp")

    for slug in ("home", "lamps"):
        answer = send(client, "delete", f"{CATEGORIES}/{slug}", **{"If-Match": "*"})
        assert (answer.status_code, answer.json()["type"]) == (409, "category-in-use")


def test_invalid_categories_are_refused(shop, client):
    taken = send(client, "post", CATEGORIES, {"title": "Home"})
    orphan = send(client, "post", CATEGORIES, {"title": "X", "parent": "nowhere"})
    cycle = send(client, "patch", f"{CATEGORIES}/home", {"parent": "lamps"}, **{"If-Match": "*"})
    nameless = send(client, "post", CATEGORIES, {"title": "…"})
    mistyped = send(client, "post", CATEGORIES, {"title": "X", "position": "1"})

    assert [a.status_code for a in (taken, orphan, cycle, nameless, mistyped)] == [409, 422, 422, 422, 400]


def test_stock_is_counted_and_adjusted(shop, client):
    product(shop.parts, "Lamp", units=0)

    counted = send(client, "put", "/api/catalog/stock/LAMP", {"on_hand": 7}, headers=KEEPER)
    adjusted = send(
        client,
        "post",
        "/api/catalog/stock/LAMP/adjustments",
        {"delta": -3, "reason": "broken"},
        headers=KEEPER,
    )
    read = send(client, "get", "/api/catalog/stock/LAMP", headers=KEEPER)

    assert counted.json() == {
        "sku": "LAMP",
        "on_hand": 7,
        "reserved": 0,
        "available": 7,
        "availability": "in_stock",
    }
    assert (adjusted.status_code, adjusted.json()["on_hand"], read.json()["on_hand"]) == (200, 4, 4)


def test_only_changes_of_availability_are_published(shop, client):
    product(shop.parts, "Lamp", units=0)
    for units in (7, 9, 3, 2, 0):
        send(client, "put", "/api/catalog/stock/LAMP", {"on_hand": units}, headers=KEEPER)

    events = [e["data"]["availability"] for e in shop.events("stock") if e["type"] == "availability.changed"]

    assert events == ["in_stock", "low", "out"]


@pytest.mark.parametrize("on_hand", [None, "1", "", 1.5, True, [], {}, 10**30, -1])
def test_an_invalid_count_is_refused(shop, client, on_hand):
    product(shop.parts, "Lamp")

    answer = send(client, "put", "/api/catalog/stock/LAMP", {"on_hand": on_hand}, headers=KEEPER)

    assert answer.status_code == 400


def test_refusals_of_stock_have_a_reason(shop, client):
    product(shop.parts, "Lamp", units=2)
    path = "/api/catalog/stock"

    unknown = send(client, "put", f"{path}/NOPE", {"on_hand": 1}, headers=KEEPER)
    zero = send(client, "post", f"{path}/LAMP/adjustments", {"delta": 0, "reason": "x"}, headers=KEEPER)
    too_few = send(client, "post", f"{path}/LAMP/adjustments", {"delta": -3, "reason": "x"}, headers=KEEPER)
    unreasoned = send(client, "post", f"{path}/LAMP/adjustments", {"delta": 1}, headers=KEEPER)
    stale = send(client, "put", f"{path}/LAMP", {"on_hand": 1}, headers=KEEPER, **{"If-Match": '"99"'})
    shopper = send(client, "get", f"{path}/LAMP", headers=bearer())

    assert [a.status_code for a in (unknown, zero, too_few, unreasoned, stale, shopper)] == [
        404, 400, 422, 400, 412, 403,
    ]  # fmt: skip


def test_only_orphaned_claims_are_released(shop):
    product(shop.parts, "Lamp")
    shop.parts.claims.claim("crashed", slug="ghost", skus=["GHOST"])

    early = shop.parts.claims.release_orphans()
    shop.clock.forward(minutes=11)
    late = shop.parts.claims.release_orphans()

    assert (early, late) == (0, 2)
    assert shop.parts.products.get("lamp").skus == ["LAMP"]
    assert product(shop.parts, "Ghost").slug == "ghost"
