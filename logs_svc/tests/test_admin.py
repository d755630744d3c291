from datetime import timedelta

import pytest
from django.test import Client

from chassis.admin.sso import SignOn, use
from chassis.clock import now
from chassis.testing.identity import make_token
from logs.domain import AuditEntry

HELD = {"staff": ["logs.event.read", "logs.audit.read"], "support": ["logs.event.read"]}


def exchange(session):
    if session not in HELD:
        return None
    token = make_token(sub="s1", roles=("manager",), permissions=HELD[session])
    return {"access": token, "expires_in": 600, "user": {"name": "Ada", "email": "ada@example.com"}}


@pytest.fixture(autouse=True)
def signed_on(world):
    use(SignOn(exchange))
    yield
    use(None)


def page(path="", session="staff", **query):
    client = Client()
    client.cookies["staff_session"] = session
    return client.get(f"/admin/logs/{path}", query)


def put(world, **fields):
    return world.put(**{"at": now(), **fields})


def test_the_dashboard_shows_traffic_funnel_and_searches(world):
    put(world, session="s1", product_id="p1")
    put(world, session="s1", type="search", query="red cup")
    put(world, session="s1", type="purchase", product_id="pot-1", at=now() - timedelta(days=3))

    html = page().content.decode()

    for text in ("Events a day", "Conversion funnel", "red cup", "pot-1", "<svg"):
        assert text in html


def test_the_dashboard_shows_conversion_by_shelf_and_variant(world):
    for number in range(60):
        data = {"shelf": "for-you", "variant": ["personal", "trending"][number % 2]}
        put(world, session=f"s{number}", type="impression", product_id="p1", data=data)
    put(world, session="s0", type="click", product_id="p1", data={"shelf": "for-you", "variant": "personal"})
    put(world, session="s1", type="click", product_id="p1", data={"shelf": "<i>", "variant": "personal"})

    html = page().content.decode()

    for text in ("From the shelf for-you, personal", "Conversion by shelf", "Variants compared", "&lt;i&gt;"):
        assert text in html
    assert "From the shelf for-you, trending" not in html  # nobody clicked it: the table says so
    assert "not significant" in html
    assert "<i>" not in html


def test_the_dashboard_shows_the_prepared_months(world):
    before = page().content.decode()
    world.now += timedelta(days=62)
    after = page().content.decode()

    assert "to 2026-06, after this month" in before
    assert "run make deploy, or manage.py prepare" in after


def test_the_dashboard_works_without_events(world):
    assert page().status_code == 200


def test_events_are_filtered_and_searched(world):
    id = put(world, product_id="cup-1")
    put(world, product_id="pot-1", type="purchase")
    url = "logs/event/"

    def shown(**query):
        html = page(url, **query).content.decode()
        return [id for id in ("cup-1", "pot-1") if f">{id}<" in html]

    assert shown() == ["cup-1", "pot-1"]
    assert shown(type__exact="purchase") == ["pot-1"]
    assert shown(q="cup") == ["cup-1"]
    assert page(f"logs/event/{id}/change/").status_code == 200


def test_the_audit_trail_needs_its_permission(world):
    world.parts.audit_entries.add(
        AuditEntry(
            id="e1",
            at=now(),
            arrived=now(),
            actor="s1",
            actor_name="Ann",
            action="change",
            service="catalog",
            object_type="product",
            object_id="p1",
            object_repr="Cup",
            message="<b>Changed</b> price.",
        )
    )

    mine, theirs = page("logs/auditentry/"), page("logs/auditentry/", session="support")

    assert "&lt;b&gt;Changed&lt;/b&gt; price." in mine.content.decode()
    assert theirs.status_code == 403
    assert page("logs/auditentry/add/").status_code == 403
