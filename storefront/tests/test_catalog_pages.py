"""Home, lists and products: their content, and that it holds no data of one shopper."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from tests.backend import Backend
from tests.pages import heading, words

PUBLIC_PAGES = ["/", "/search", "/search?q=lamp", "/c/audio", "/p/floor-lamp"]


def test_the_home_page_has_departments_and_three_shelves(shop: Client) -> None:
    page = words(shop.get("/"))

    for part in ("Electronics", "Liked this week", "On sale", "New in the shop", "€54.00"):
        assert part in page


def test_a_list_page_makes_one_request_to_the_catalogue(shop: Client, backend: Backend) -> None:
    shop.get("/c/audio")
    backend.calls.clear()

    shop.get("/c/audio")

    assert [call.target for call in backend.calls] == [
        "/api/catalog/products?limit=24&category=audio&sort=popular"
    ]


def test_a_category_shows_breadcrumbs_products_and_facets(shop: Client) -> None:
    response = shop.get("/c/electronics")

    page = words(response)
    assert heading(response) == "Electronics"
    for part in (
        "Home / Electronics".replace(" / ", " "),
        "6 products",
        "Brand",
        "Colour",
        "Wireless headphones",
    ):
        assert part in page


def test_a_search_is_filtered_by_get_parameters(shop: Client) -> None:
    page = words(shop.get("/search?q=a&brand=Lumen"))

    assert "2 products" in page
    assert "Remove filter: Lumen" in page


def test_a_search_without_results_suggests_a_next_step(shop: Client) -> None:
    assert "No results. Nothing fits that; try another word, or fewer of them." in words(
        shop.get("/search?q=zzz")
    )


def test_a_product_shows_variants_price_and_related_products(shop: Client) -> None:
    response = shop.get("/p/two-seat-sofa")

    page = words(response)
    assert heading(response) == "Two-seat sofa"
    for part in (
        "€599.00",
        "before €699.00",
        "−14%",
        "Moss",
        "Rust sold out",
        "In stock",
        "Goes well with",
        "Made to last",
    ):
        assert part in page
    assert "Cook's knife" in page


def test_product_pictures_have_width_and_height(shop: Client) -> None:
    html = shop.get("/p/floor-lamp").content.decode()

    picture = re.search(r'<img src="/media/1f4a1.640.webp"[^>]*>', html)

    assert picture
    assert 'srcset="/media/1f4a1.320.webp 320w, /media/1f4a1.640.webp 640w"' in picture.group()
    assert 'width="640" height="640" alt="Floor lamp"' in picture.group()


def test_a_product_has_structured_data(shop: Client) -> None:
    html = shop.get("/p/floor-lamp").content.decode()

    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html)

    assert found
    product, crumbs = json.loads(found.group(1))
    assert product["offers"][0] == {
        "@type": "Offer",
        "sku": "SKU-8",
        "price": "54.00",
        "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock",
        "url": "http://localhost:8000/p/floor-lamp",
    }
    assert [item["name"] for item in crumbs["itemListElement"]] == ["Home", "Living room"]


@pytest.mark.parametrize("path", ["/p/nothing", "/c/nothing", "/nothing", "/p/..%2f..%2finternal"])
def test_an_unknown_page_is_a_404_in_the_shops_design(shop: Client, path: str) -> None:
    response = shop.get(path)

    assert response.status_code == 404
    assert heading(response) == "There is nothing here"
    assert "Electronics" in words(response)


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_public_pages_are_cacheable_and_impersonal(member: Client, path: str) -> None:
    member.cookies["cart"] = "c0ffee" * 5 + "01"
    response = member.get(path)

    body = response.content.decode()
    assert response.status_code == 200
    assert response["Cache-Control"] == "public, max-age=2"
    assert not response.cookies
    assert "Ada" not in body
    assert "c0ffee" not in body


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_public_pages_are_the_same_for_everyone(shop: Client, path: str) -> None:
    as_guest = shop.get(path).content
    shop.post("/signin", {"email": "ada@example.com", "password": "right"})

    as_member = shop.get(path).content

    assert as_guest == as_member


def test_hostile_text_is_escaped(shop: Client, backend: Backend) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    lamp = next(p for p in backend.products if p["slug"] == "floor-lamp")
    lamp["title"] = lamp["description"] = lamp["brand"] = evil

    for path in ("/p/floor-lamp", "/search", "/", f"/search?q={evil}"):
        html = shop.get(path).content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_suggestions_are_a_list_of_links(shop: Client) -> None:
    html = shop.get("/fragments/suggest?q=lam").content.decode()

    assert '<a href="/search?q=floor%20lamp">' in html
    assert '<a href="/p/floor-lamp">' in html


def test_show_more_keeps_the_filters(shop: Client, backend: Backend) -> None:
    backend.products = backend.products * 3

    html = shop.get("/search?q=a&on_sale=true").content.decode()

    assert 'href="/search?q=a&amp;on_sale=true&amp;cursor=24"' not in html  # 18 fit one page
    assert 'href="/search?q=a&amp;cursor=24"' in shop.get("/search?q=a").content.decode()


def test_the_personal_shelf_requires_consent_or_sign_in(shop: Client) -> None:
    assert words(shop.get("/fragments/for-you")) == ""

    shop.post("/consent", {"answer": "yes"})

    response = shop.get("/fragments/for-you")
    assert "Recommended for you" in words(response)
    assert response["Cache-Control"] == "private, no-store"


def test_a_cached_card_follows_its_data(shop: Client, backend: Backend) -> None:
    lamp = next(p for p in backend.products if p["slug"] == "floor-lamp")
    assert "€54.00" in words(shop.get("/search?q=lamp"))

    lamp["variants"][0]["price"] = {"amount": 100, "currency": "EUR"}

    assert "€1.00" in words(shop.get("/search?q=lamp"))
