import re
from datetime import UTC, datetime, timedelta

import pytest

from logs.domain import IncomingEvent, InvalidEvent, parse_event
from logs.domain.events import format_time

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def parse(event, *, user=None, session=None):
    return parse_event(event, now=NOW, user=user, session=session)


def test_an_event_is_parsed():
    event = parse(
        {"type": "view", "product_id": "p1", "at": "2026-03-10T12:30:00+01:00", "data": {"page": "/p/cup"}},
        user="a1",
        session="s1",
    )

    assert event == IncomingEvent(
        type="view",
        at="2026-03-10T11:30:00.000Z",
        user="a1",
        session="s1",
        product_id="p1",
        data={"page": "/p/cup"},
    )


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        (None, NOW),
        ("2026-03-10T11:00:00Z", NOW - timedelta(hours=1)),
        ("2030-01-01T00:00:00Z", NOW),
        ("1999-01-01T00:00:00Z", NOW - timedelta(days=7)),
    ],
)
def test_the_time_lies_within_the_last_week(at, kept):
    assert parse({"type": "view", "at": at}).at == format_time(kept)


def test_the_same_id_of_the_same_visitor_is_the_same_event():
    one = parse({"type": "view", "id": "e1"}, session="s1")
    again = parse({"type": "view", "id": "e1"}, session="s1")
    other = parse({"type": "view", "id": "e1"}, session="s2")

    assert one.key == again.key != other.key
    assert parse({"type": "view"}).key is None


def test_a_search_query_is_normalised():
    assert parse({"type": "search", "data": {"q": "  Red   CUP "}}).query == "red cup"
    assert parse({"type": "search", "data": {"query": "x" * 200}}).query == "x" * 100
    assert parse({"type": "view", "data": {"q": "cup"}}).query is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("view", "not an object"),
        ({}, "type: one of"),
        ({"type": "purchase"}, "type: only checkout reports purchases"),
        ({"type": ["view"]}, "type: one of"),
        ({"type": "view", "user": "a1"}, "unknown field: user"),
        ({"type": "view", "product_id": "a b"}, "product_id: 1 to 64"),
        ({"type": "view", "product_id": 5}, "product_id: 1 to 64"),
        ({"type": "view", "id": "x" * 65}, "id: 1 to 64"),
        ({"type": "view", "session_id": ""}, "session_id: 1 to 64"),
        ({"type": "view", "at": "yesterday"}, "at: not an RFC 3339 time"),
        ({"type": "view", "at": 5}, "at: not an RFC 3339 time"),
        ({"type": "view", "at": "2026-03-10T12:00:00"}, "at: without a time zone"),
        ({"type": "view", "data": []}, "data: not an object"),
        ({"type": "view", "data": {"q": "x" * 3000}}, "data: more than 2048 bytes"),
        ({"type": "view", "data": {"__proto__": 1}}, "data: a name of it is not a plain word"),
        ({"type": "view", "data": {"$where": 1}}, "data: a name of it is not a plain word"),
        ({"type": "view", "data": {"constructor": 1}}, "data: a name of it is not a plain word"),
        ({"type": "view", "data": {"surprise": 1}}, "data: a view has no surprise"),
        ({"type": "view", "data": {"results": 1}}, "data: a view has no results"),
        ({"type": "search", "data": {"q": 5}}, "data: q is not a text"),
        ({"type": "search", "data": {"q": "x" * 201}}, "data: q is more than 200 characters"),
        ({"type": "search", "data": {"results": -1}}, "data: results is not from 0 to"),
        ({"type": "search", "data": {"results": True}}, "data: results is not a whole number"),
        ({"type": "search", "data": {"filters": {"brand": [{}]}}}, "data: filters is a choice is not"),
        ({"type": "click", "data": {"position": 1.5}}, "data: position is not a whole number"),
        ({"type": "click", "data": {"demo": 1}}, "data: demo is not true or false"),
        ({"type": "add_to_cart", "data": {"price": {"amount": 1, "currency": "eur"}}}, "data: price is its"),
        ({"type": "add_to_cart", "data": {"price": {"amount": 1}}}, "data: price is not {amount, currency}"),
        ({"type": "impression", "data": {"products": ["x"] * 101}}, "data: products is more than 100"),
        ({"type": "view", "at": "9999-12-31T23:59:59-01:00"}, "at: not an RFC 3339 time"),
    ],
)
def test_an_invalid_event_is_refused_with_the_reason(event, reason):
    with pytest.raises(InvalidEvent, match=re.escape(reason)):
        parse(event)


def test_each_type_allows_its_own_data():
    said = {
        "search": {
            "q": "cup",
            "results": 0,
            "filters": {"brand": ["Fable"], "in_stock": True},
            "sort": "price",
        },
        "impression": {"shelf": "similar", "position": 3, "model": "m1", "arm": "b", "reason": "viewed"},
        "add_to_cart": {"quantity": 2, "price": {"amount": 1200, "currency": "EUR"}, "sku": "cup"},
        "checkout_started": {"lines": 2, "total": 2400, "coupon": "SPRING"},
    }

    assert {type: parse({"type": type, "data": data}).data for type, data in said.items()} == said
    assert parse({"type": "view", "data": {"page": None}}).data == {}
