from datetime import UTC, datetime, timedelta

import pytest

from logs.domain import Event, NotAnEvent, reported_event

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def told(event, *, user=None, session=None):
    return reported_event(event, arrived="arrival-1", now=NOW, user=user, session=session)


def test_a_told_event_becomes_one():
    event = told(
        {"type": "view", "product_id": "p1", "at": "2026-03-10T12:30:00+01:00", "data": {"page": "/p/cup"}},
        user="a1",
        session="s1",
    )

    assert event == Event(
        id="arrival-1",
        type="view",
        at=datetime(2026, 3, 10, 11, 30, tzinfo=UTC),
        arrived="arrival-1",
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
    assert told({"type": "view", "at": at}).at == kept


def test_the_same_id_of_the_same_visitor_is_the_same_event():
    one = told({"type": "view", "id": "e1"}, session="s1")
    again = told({"type": "view", "id": "e1"}, session="s1")
    other = told({"type": "view", "id": "e1"}, session="s2")

    assert one.id == again.id != other.id


def test_what_is_searched_for_is_tidied():
    assert told({"type": "search", "data": {"q": "  Red   CUP "}}).query == "red cup"
    assert told({"type": "search", "data": {"query": "x" * 500}}).query == "x" * 100
    assert told({"type": "search", "data": {"q": 5}}).query is None
    assert told({"type": "view", "data": {"q": "cup"}}).query is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("view", "not an object"),
        ({}, "type: one of"),
        ({"type": "purchase"}, "type: purchases are told by checkout alone"),
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
        ({"type": "view", "data": {"a": [{"$where": 1}]}}, "data: a name of it is not a plain word"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(event, reason):
    with pytest.raises(NotAnEvent, match=reason.replace("$", r"\$")):
        told(event)
