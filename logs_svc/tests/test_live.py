"""The live page of the admin, and its JSON of new events."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from chassis.admin.sso import SignOn, use
from chassis.testing.identity import make_token
from logs import container

HELD = {"staff": ["logs.event.read"], "other": ["logs.audit.read"]}


class Titles:
    """A catalogue client that knows one product."""

    def titles(self, ids):
        return {id: "Red cup" for id in ids if id == "cup-1"}


@pytest.fixture
def world(world):
    use(SignOn(exchange))
    with container.container.override(replace(world.parts, catalog=Titles())):
        yield world
    use(None)


def exchange(session):
    token = make_token(sub="s1", roles=("manager",), permissions=HELD[session])
    return {"access": token, "expires_in": 600, "user": {"name": "Ada", "email": "ada@example.com"}}


def page(session="staff", **query):
    client = Client()
    client.cookies["staff_session"] = session
    return client.get("/admin/logs/live/", query)


def test_the_page_has_an_empty_table(world):
    html = page().content.decode()

    assert "data-live-rows" in html
    assert "Waiting for events" in html


def test_polling_returns_the_newest_events_and_then_only_new_ones(world):
    world.put(session="s1", product_id="cup-1")
    world.put(session="s1", type="search", query="tea")
    first = page(after="").json()
    world.put(user="ann", session="s1", product_id="gone-1", data={"shelf": "goes-with"})

    since = page(after=first["after"]).json()
    nothing = page(after=since["after"]).json()

    assert [(one["type"], one["product"], one["who"], one["said"]) for one in first["events"]] == [
        ("view", "Red cup", "s1", ""),
        ("search", "", "s1", "tea"),
    ]
    assert [(one["product"], one["who"], one["said"]) for one in since["events"]] == [
        ("gone-1", "ann", "shelf: goes-with")
    ]
    assert nothing == {"events": [], "after": since["after"]}


@pytest.mark.parametrize("after", ["nonsense", "x" * 2000, "\x00"])
def test_an_invalid_cursor_returns_the_newest_events(world, after):
    world.put(session="s1", product_id="cup-1")

    answer = page(after=after)

    assert (answer.status_code, len(answer.json()["events"])) == (200, 1)
    assert "no-store" in answer["Cache-Control"]


def test_live_events_need_their_permission(world):
    assert [page("other").status_code, page("other", after="").status_code] == [403, 403]
