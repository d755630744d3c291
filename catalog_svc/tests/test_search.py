"""Public reads, from a real index in a temporary folder."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from chassis.testing import bad_input
from shop import eur, product, small_shop

PRODUCTS = "/api/catalog/products"


@pytest.fixture
def shop(world: Any) -> Any:
    small_shop(world.parts)
    world.catch_up()
    return world


def titles(client: APIClient, **query: Any) -> list[str]:
    answer = client.get(PRODUCTS, query)
    assert answer.status_code == 200, answer.content
    return [card["title"] for card in answer.json()["results"]]


def facet(client: APIClient, name: str, **query: Any) -> dict[str, int]:
    return {value["value"]: value["count"] for value in client.get(PRODUCTS, query).json()["facets"][name]}


def test_a_card_has_the_fields_of_a_list_and_no_stock(shop, client):
    answer = client.get(PRODUCTS, {"q": "desk lamp"})

    assert answer.json()["results"] == [
        {
            "id": "p0001",
            "slug": "desk-lamp",
            "title": "Desk lamp",
            "brand": "Lumen",
            "category": "lamps",
            "image": None,
            "price_from": {"amount": 4900, "currency": "EUR"},
            "compare_at_price": {"amount": 5900, "currency": "EUR"},
            "availability": "in_stock",
            "rating": {"average": None, "count": 0},
            "sku": "DESK-LAMP",
        }
    ]


def test_the_response_has_total_and_next(shop, client):
    answer = client.get(PRODUCTS).json()

    assert (len(answer["results"]), answer["total"], answer["next"]) == (6, 6, None)


def test_a_category_includes_its_subcategories(shop, client):
    assert sorted(titles(client, category="home")) == [
        "Armchair",
        "Desk lamp",
        "Floor lamp",
        "Reading lamp",
        "Stool",
    ]


def test_filters_restrict_each_other(shop, client):
    assert titles(client, brand="Lumen", in_stock="true") == ["Desk lamp"]
    assert titles(client, on_sale="true") == ["Desk lamp"]
    assert sorted(titles(client, min_price=3500, max_price=4900)) == ["Desk lamp", "Stool"]
    assert titles(client, rating=4) == []
    assert titles(client, **{"attr.colour": "Blue"}) == ["Stool"]
    assert titles(client, category="nowhere") == []


def test_values_of_one_filter_are_alternatives(shop, client):
    answer = client.get(f"{PRODUCTS}?brand=Vela&brand=Odd+%26+Co&sort=price")

    assert [card["title"] for card in answer.json()["results"]] == ["Reading lamp", "Stool", "Armchair"]


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [("price", "Teddy bear", "Armchair"), ("-price", "Armchair", "Teddy bear")],
)
def test_prices_sort_both_ways(shop, client, sort, first, last):
    found = titles(client, sort=sort)

    assert (found[0], found[-1]) == (first, last)


def test_newest_sorts_by_creation(shop, client):
    shop.clock.forward(hours=1)
    product(shop.parts, "New lamp")
    shop.catch_up()

    assert titles(client, sort="newest")[0] == "New lamp"


def test_popular_sorts_by_units_sold(shop, client):
    shop.parts.event_handlers.order_confirmed(
        {"order_id": "HM-1", "account_id": None, "lines": [{"product_id": "p0003", "quantity": 2}]}
    )
    shop.catch_up()

    assert titles(client, sort="popular")[0] == "Reading lamp"
    assert titles(client)[0] == "Reading lamp"


@pytest.mark.parametrize("sort", ["price", "-price", "newest", "rating", "popular", "relevance"])
@pytest.mark.parametrize("q", ["", "lamp"])
def test_pages_neither_repeat_nor_skip(shop, client, sort, q):
    for number in range(30):
        product(shop.parts, f"Twin lamp {number}", price=1_000 + number % 3)
    shop.catch_up()
    wanted = sorted(titles(client, limit=100, q=q, sort=sort))

    found: list[str] = []
    cursor = None
    while True:
        query = {"limit": 7, "q": q, "sort": sort} | ({"cursor": cursor} if cursor else {})
        answer = client.get(PRODUCTS, query).json()
        found += [card["title"] for card in answer["results"]]
        cursor = answer["next"]
        if cursor is None:
            break

    assert len(found) == len(set(found))
    assert sorted(found) == wanted


def test_facets_count_the_available_choices(shop, client):
    assert facet(client, "category") == {"home": 5, "lamps": 3, "chairs": 2, "toys": 1}
    assert facet(client, "brand") == {"Lumen": 2, "Vela": 2, "Odd & Co": 1}
    assert facet(client, "price") == {"1000-2499": 1, "2500-4999": 3, "5000-9999": 1, "25000-": 1}
    assert facet(client, "attr.colour") == {"Blue": 1, "Red": 1, "Brown": 1}
    assert client.get(PRODUCTS).json()["facets"]["category"][0] == {
        "value": "home",
        "label": "Home",
        "count": 5,
    }


def test_a_chosen_facet_still_shows_its_alternatives(shop, client):
    assert facet(client, "brand", brand="Vela") == {"Lumen": 2, "Vela": 2, "Odd & Co": 1}
    assert facet(client, "category", brand="Vela") == {"home": 2, "lamps": 1, "chairs": 1}
    assert facet(client, "brand", category="lamps", brand="Vela") == {"Lumen": 2, "Vela": 1}


def test_every_facet_value_leads_to_as_many_products(shop, client):
    for name, param in (("brand", "brand"), ("category", "category"), ("attr.colour", "attr.colour")):
        for value, count in facet(client, name).items():
            assert client.get(PRODUCTS, {param: value}).json()["total"] == count
    for value, count in facet(client, "price").items():
        low, high = value.split("-")
        query = {"min_price": low} | ({"max_price": high} if high else {})
        assert client.get(PRODUCTS, query).json()["total"] == count


@pytest.mark.parametrize("q", ["lamps", "LAMP desk", "desk l", "bends lamp", "lumen desk", "DESK-LAMP"])
def test_words_are_found_in_any_form_and_field(shop, client, q):
    assert "Desk lamp" in titles(client, q=q)


def test_a_typo_is_corrected_and_reported(shop, client):
    answer = client.get(PRODUCTS, {"q": "redaing lamp"}).json()

    assert [card["title"] for card in answer["results"]] == ["Reading lamp"]
    assert answer["did_you_mean"] == "reading lamp"


def test_unknown_words_find_nothing(shop, client):
    answer = client.get(PRODUCTS, {"q": 'xyzzy & ( " OR *:*'}).json()

    assert (answer["results"], answer["total"], answer["next"]) == ([], 0, None)
    assert answer["facets"]["category"] == []


def test_a_batch_keeps_the_requested_order(shop, client):
    answer = client.get(PRODUCTS, {"ids": "p0004,nope,p0001"}).json()

    assert [card["id"] for card in answer["results"]] == ["p0004", "p0001"]
    assert (answer["total"], answer["next"]) == (2, None)


def test_a_product_page_has_all_fields(shop, client):
    answer = client.get(f"{PRODUCTS}/stool")

    assert answer.json() == {
        "id": "p0005",
        "slug": "stool",
        "title": "Stool",
        "description": "",
        "brand": "Odd & Co",
        "category": "chairs",
        "breadcrumbs": [{"slug": "home", "title": "Home"}, {"slug": "chairs", "title": "Chairs"}],
        "variants": [
            {
                "sku": "STOOL-R",
                "attributes": {"colour": "Red", "size": "M"},
                "price": {"amount": 3900, "currency": "EUR"},
                "compare_at_price": None,
                "availability": "in_stock",
            },
            {
                "sku": "STOOL-B",
                "attributes": {"colour": "Blue", "size": "M"},
                "price": {"amount": 3500, "currency": "EUR"},
                "compare_at_price": None,
                "availability": "in_stock",
            },
        ],
        "images": [],
        "rating": {"average": None, "count": 0},
        "price_from": {"amount": 3500, "currency": "EUR"},
        "availability": "in_stock",
        "status": "active",
    }


def test_availability_is_public_in_words(shop, client):
    found = {card["title"]: card["availability"] for card in client.get(PRODUCTS).json()["results"]}

    assert (found["Desk lamp"], found["Floor lamp"], found["Reading lamp"]) == ("in_stock", "out", "low")


def test_a_changed_availability_shows_in_the_index(shop, client):
    shop.parts.stock.set_on_hand(sku="DESK-LAMP", on_hand=0)
    shop.catch_up()

    assert client.get(f"{PRODUCTS}/desk-lamp").json()["availability"] == "out"


def test_the_category_tree_counts_products_of_subcategories(shop, client):
    answer = client.get("/api/catalog/categories")

    assert answer.json() == [
        {
            "slug": "home",
            "title": "Home",
            "count": 5,
            "children": [
                {"slug": "chairs", "title": "Chairs", "count": 2, "children": []},
                {"slug": "lamps", "title": "Lamps", "count": 3, "children": []},
            ],
        },
        {"slug": "toys", "title": "Toys", "count": 1, "children": []},
    ]


def test_a_renamed_category_shows_on_its_products(shop, client):
    shop.parts.categories.update(slug="home", changes={"title": "House"})
    shop.catch_up()

    assert client.get(f"{PRODUCTS}/stool").json()["breadcrumbs"][0] == {"slug": "home", "title": "House"}


@pytest.mark.parametrize(
    "path", ["products", "products?q=lamp", "products/stool", "categories", "suggest?q=la"]
)
def test_an_unchanged_page_is_not_sent_again(shop, client, path):
    first = client.get(f"/api/catalog/{path}")

    again = client.get(f"/api/catalog/{path}", HTTP_IF_NONE_MATCH=first["ETag"])

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_a_changed_price_changes_the_tag(shop, client):
    before = client.get(PRODUCTS)
    variants = shop.parts.products.get("armchair").variants
    variants[0].price = eur(19_900)
    shop.parts.products.update(slug="armchair", changes={"variants": variants})
    shop.catch_up()

    after = client.get(PRODUCTS, HTTP_IF_NONE_MATCH=before["ETag"])

    assert (after.status_code, titles(client, sort="-price")[0]) == (200, "Armchair")
    assert client.get(f"{PRODUCTS}/armchair").json()["price_from"] == {"amount": 19_900, "currency": "EUR"}


def test_suggestions_begin_with_the_second_letter(shop, client):
    one = client.get("/api/catalog/suggest", {"q": "l"}).json()
    two = client.get("/api/catalog/suggest", {"q": "la"}).json()
    typo = client.get("/api/catalog/suggest", {"q": "stoll"}).json()

    assert one == {"products": [], "categories": [], "queries": []}
    assert sorted(card["title"] for card in two["products"]) == ["Desk lamp", "Floor lamp", "Reading lamp"]
    assert two["categories"] == [{"slug": "lamps", "title": "Lamps"}]
    assert two["queries"] == ["lamp", "lamps"]
    assert [card["title"] for card in typo["products"]] == ["Stool"]


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "attr.=x",
        "attr.Bad=x",
        "sort=cheap",
        "sort=price&sort=price",
        "in_stock=yes",
        "on_sale=false",
        "min_price=-1",
        "min_price=1.5",
        "min_price=abc",
        "max_price=" + "9" * 30,
        "rating=0",
        "rating=6",
        "category=../x",
        "q=" + "x" * 300,
        "q=a%00b",
        "ids=",
        "ids=a,,b",
        "ids=a&limit=2",
        "ids=" + ",".join("x" * 101),
        "cursor=abc&sort=price",
        "q=" + "%ED%A0%80" * 200,
    ],
)
def test_an_invalid_parameter_is_named(shop, client, query):
    answer = client.get(f"{PRODUCTS}?{query}")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert list(answer.json()["errors"])


@pytest.mark.parametrize("limit", bad_input.BAD_LIMITS)
def test_an_invalid_limit_is_refused(shop, client, limit):
    assert client.get(PRODUCTS, {"limit": limit}).status_code == 400


@pytest.mark.parametrize("cursor", bad_input.BAD_CURSORS)
def test_an_invalid_cursor_is_refused(shop, client, cursor):
    assert client.get(PRODUCTS, {"cursor": cursor}).status_code == 400


def test_a_cursor_of_another_order_is_refused(shop, client):
    cursor = client.get(PRODUCTS, {"limit": 2, "sort": "price"}).json()["next"]

    assert client.get(PRODUCTS, {"limit": 2, "sort": "newest", "cursor": cursor}).status_code == 400


@pytest.mark.parametrize("value", bad_input.HOSTILE_TEXT)
def test_hostile_words_break_nothing(shop, client, value):
    for name in ("q", "brand", "attr.colour"):
        assert client.get(PRODUCTS, {name: value}).status_code in (200, 400)
    assert client.get("/api/catalog/suggest", {"q": value}).status_code in (200, 400)


@pytest.mark.parametrize("slug", bad_input.BAD_IDS)
def test_an_unknown_slug_is_not_found(shop, client, slug):
    assert client.get(f"{PRODUCTS}/{slug}").status_code in (400, 404)


def test_requests_get_503_before_the_index_is_built(world, client):
    answer = client.get(PRODUCTS)

    assert (answer.status_code, answer["Retry-After"], answer.json()["type"]) == (503, "1", "index-building")


def test_a_hidden_product_is_not_shown(shop, client):
    shop.parts.products.update(slug="stool", changes={"status": "hidden"})
    shop.catch_up()

    assert client.get(f"{PRODUCTS}/stool").status_code == 404
    assert "Stool" not in titles(client)
