"""Shelves of recommendations: their names for events, their reasons, and their reset."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from chassis.clients import ServiceClient
from shop.clients import Caller, Catalog, Reco
from shop.services.shelves import ShelfService
from tests.backend import Backend
from tests.pages import words


def names(html: bytes) -> list[str]:
    return re.findall(r'data-shelf="([^"]+)"', html.decode())


def test_recommendations_are_grouped_by_a_frequent_source(shop: Client) -> None:
    shop.post("/consent", {"answer": "yes"})

    response = shop.get("/fragments/for-you")

    assert names(response.content) == ["because-viewed", "for-you"]
    assert "Because you viewed Floor lamp" in words(response)
    assert response.content.decode().count('data-variant="personal"') == 2


def test_a_shelf_shows_its_reasons(shop: Client) -> None:
    shop.post("/consent", {"answer": "yes"})

    page = words(shop.get("/fragments/for-you"))

    assert "Why these? They are here for this reason: because you viewed Floor lamp" in page
    assert "Delete what I looked at and start over" in page


def test_a_product_page_shows_reasons_of_related_products(shop: Client) -> None:
    response = shop.get("/p/two-seat-sofa")

    assert names(response.content) == ["goes-with"]
    assert "Why these? They are here for this reason: often bought together" in words(response)
    assert "start over" not in words(response), "it is not made of what this shopper did"


def test_a_product_page_falls_back_to_popular_products(shop: Client, backend: Backend) -> None:
    backend.down = {"reco"}

    response = shop.get("/p/floor-lamp")

    assert names(response.content) == ["goes-with"]
    assert "Why these? They are here for this reason: popular in Living room" in words(response)


def test_related_products_are_cached_for_many_pages(shop: Client, backend: Backend) -> None:
    pages = [words(shop.get("/p/two-seat-sofa")) for _ in range(3)]

    assert all("often bought together" in page for page in pages)
    assert len([call for call in backend.calls if "/similar/" in call.target]) == 1


def test_a_reset_deletes_the_history_and_changes_the_session_id(shop: Client, backend: Backend) -> None:
    shop.post("/consent", {"answer": "yes"})
    before = shop.cookies["sid"].value

    response = shop.post("/forget", {"next": "/privacy"})

    [call] = [call for call in backend.calls if call.method == "DELETE"]
    assert (call.target, call.headers["x-session-id"]) == ("/api/reco/for-you", before)
    assert (response.status_code, response["Location"]) == (303, "/privacy")
    assert shop.cookies["sid"].value not in ("", before)


def test_no_recommendations_or_session_id_without_consent(shop: Client, backend: Backend) -> None:
    shop.get("/fragments/for-you")
    shop.post("/forget")

    assert [call.target for call in backend.calls if "/reco/" in call.target] == []
    assert "sid" not in shop.cookies


def test_the_cart_page_loads_related_products(shop: Client, backend: Backend) -> None:
    response = shop.get("/fragments/cart-shelf?ids=p1,p2,%00,../x")

    assert "Goes well with your cart" in words(response)
    assert "/api/reco/together?ids=p1%2Cp2&limit=8" in [call.target for call in backend.calls]
    assert words(shop.get("/fragments/cart-shelf")) == ""


def test_a_category_shows_trending_products(shop: Client) -> None:
    page = shop.get("/c/audio").content.decode()
    response = shop.get("/fragments/trending/audio")

    assert 'hx-get="/fragments/trending/audio"' in page
    assert names(response.content) == ["trending-category"]
    assert "Trending in Audio" in words(response)
    assert response["Cache-Control"] == "public, max-age=2"
    assert words(shop.get("/fragments/trending/nowhere")) == ""


@pytest.mark.parametrize("down", ["reco", "catalog"])
def test_an_unavailable_shelf_is_left_out(shop: Client, backend: Backend, down: str) -> None:
    shop.post("/consent", {"answer": "yes"})
    backend.down = {down}

    for path in ("for-you", "cart-shelf?ids=p1", "trending/audio"):
        response = shop.get(f"/fragments/{path}")
        assert (response.status_code, words(response)) == (200, "")


def test_a_browser_stays_in_its_group_and_groups_have_their_share() -> None:
    catalog, reco = Catalog(ServiceClient("catalog")), Reco(ServiceClient("reco"))
    shelves = ShelfService(
        catalog=catalog, reco=reco, popular_in_category=lambda _: [], locale="en-IE", control=20
    )

    groups = [shelves.variant(Caller(session_id=f"s{number}")) for number in range(1000)]

    assert groups == [shelves.variant(Caller(session_id=f"s{number}")) for number in range(1000)]
    assert 150 < groups.count("trending") < 250
    assert set(groups) == {"personal", "trending"}
    assert shelves.variant(Caller()) == ""
