"""What is kept, for how long, and for whom."""

import time

import pytest
from stubs import Answer

pytestmark = pytest.mark.integration

PUBLIC = {"Cache-Control": "public, max-age=60"}


def test_the_catalogue_is_asked_once_for_many(gateway):
    first = gateway.ask("/api/catalog/products?case=once")
    second = gateway.ask("/api/catalog/products?case=once")

    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
    assert len(gateway.stubs["catalog"].asked) == 1


def test_a_change_shows_after_two_seconds_whatever_the_service_allows(gateway):
    gateway.stubs["catalog"].answers["/api/catalog/categories"] = Answer(body=b"old", headers=PUBLIC)
    gateway.ask("/api/catalog/categories")
    gateway.stubs["catalog"].answers["/api/catalog/categories"] = Answer(body=b"new", headers=PUBLIC)

    assert gateway.ask("/api/catalog/categories").body == b"old"
    time.sleep(3.05)
    assert gateway.ask("/api/catalog/categories").body == b"new"


def test_an_old_answer_is_better_than_none_while_the_catalogue_is_away(gateway):
    gateway.stubs["catalog"].answers["/api/catalog/products/shoe"] = Answer(body=b"shoe")
    gateway.ask("/api/catalog/products/shoe")
    time.sleep(3.05)
    gateway.stubs["catalog"].stop()

    reply = gateway.ask("/api/catalog/products/shoe")

    assert (reply.status, reply.body, reply.headers["x-cache"]) == (200, b"shoe", "STALE")


def test_an_answer_that_failed_is_not_kept(gateway):
    gateway.stubs["catalog"].answers["/api/catalog/products/late"] = Answer(status=404)
    gateway.ask("/api/catalog/products/late")
    gateway.stubs["catalog"].answers["/api/catalog/products/late"] = Answer(body=b"here")

    assert gateway.ask("/api/catalog/products/late").body == b"here"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"Cookie": "access=x"},
        {"Cookie": "a=b; __Host-refresh=x"},
        {"Cookie": "staff_session=x"},
        {"Cookie": "cart=x"},
    ],
)
@pytest.mark.parametrize("path", ["/api/catalog/products?case=personal", "/c/shoes-personal"])
def test_whoever_is_known_is_answered_afresh_and_leaves_nothing_behind(gateway, path, headers):
    service = gateway.stubs["catalog" if path.startswith("/api") else "storefront"]
    service.answers[path.split("?")[0]] = Answer(headers=PUBLIC)

    replies = [gateway.ask(path, **headers) for _ in range(2)]

    assert [reply.headers["x-cache"] for reply in replies] == ["BYPASS", "BYPASS"]
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({}, False),
        ({"Cache-Control": "public, max-age=60"}, True),
        ({"Cache-Control": "private"}, False),
        ({"Cache-Control": "no-store"}, False),
        ({"Cache-Control": "public", "Set-Cookie": "a=b"}, False),
    ],
)
def test_a_page_is_kept_only_if_it_says_that_it_is_public(gateway, headers, kept, request):
    path = f"/page/{abs(hash(request.node.name))}"
    gateway.stubs["storefront"].answers[path] = Answer(headers=headers)

    gateway.ask(path)

    assert gateway.ask(path).headers["x-cache"] == ("HIT" if kept else "MISS")


def test_a_fragment_is_not_served_as_the_page(gateway):
    gateway.stubs["storefront"].answers["/c/hats"] = Answer(headers=PUBLIC)

    gateway.ask("/c/hats")

    assert gateway.ask("/c/hats", HX_Request="true").headers["x-cache"] == "MISS"


def test_an_unchanged_answer_is_not_sent_again(gateway):
    gateway.stubs["catalog"].answers["/api/catalog/products/hat"] = Answer(
        body=b"hat", headers={"ETag": '"v1"'}
    )
    gateway.ask("/api/catalog/products/hat")

    assert gateway.ask("/api/catalog/products/hat", If_None_Match='"v1"').status == 304


def test_a_known_shoppers_own_tag_reaches_the_service(gateway):
    request = gateway.ask("/api/catalog/products/x1", Authorization="Bearer x", If_None_Match='"v9"').json

    assert request["headers"]["if-none-match"] == '"v9"'


def test_large_answers_are_compressed(gateway):
    gateway.stubs["catalog"].answers["/api/catalog/big"] = Answer(body=b'"' + b"a" * 5000 + b'"')

    reply = gateway.ask("/api/catalog/big", Accept_Encoding="gzip")

    assert (reply.headers["content-encoding"], reply.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert len(reply.body) < 200


def test_orders_are_never_kept(gateway):
    gateway.stubs["checkout"].answers["/api/checkout/shipping-methods"] = Answer(headers=PUBLIC)

    gateway.ask("/api/checkout/shipping-methods")
    gateway.ask("/api/checkout/shipping-methods")

    assert len(gateway.stubs["checkout"].asked) == 2
