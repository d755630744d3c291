import json
from datetime import timedelta

import pytest
from conftest import NOW
from django.core.management import CommandError, call_command

from chassis.testing import bad_input
from chassis.testing.identity import bearer, service_headers, staff
from chassis.testing.permissions import assert_every_view_declares_permissions
from logs.domain import AuditEntry

READ = {"headers": staff("logs.event.read")}
READ_AUDIT = {"headers": staff("logs.audit.read")}
STATS = ["timeseries", "funnel", "top-products", "searches", "widgets"]
STAFF_ONLY = ["events", "audit", *(f"stats/{name}" for name in STATS)]


def send(client, events, **headers):
    return client.post("/api/logs/events", events, content_type="application/json", headers=headers)


def test_anonymous_visitors_may_report_events(client, world):
    answer = send(client, [{"type": "view", "product_id": "p1"}, {"type": "search", "data": {"q": "Cup"}}])

    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "rejected": []})
    assert [(e.type, e.product_id, e.query, e.user, e.session, e.at) for e in world.all_events()] == [
        ("view", "p1", None, None, None, NOW),
        ("search", None, "cup", None, None, NOW),
    ]


def test_an_invalid_event_is_rejected_and_the_others_accepted(client, world):
    answer = send(client, [{"type": "purchase"}, {"type": "click", "product_id": "p1"}, {"type": "eat"}, 7])

    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1,
        "rejected": [
            {"index": 0, "reason": "type: only checkout reports purchases"},
            {
                "index": 2,
                "reason": "type: one of view, search, click, impression, add_to_cart, remove_from_cart, "
                "checkout_started",
            },
            {"index": 3, "reason": "not an object"},
        ],
    }
    assert [event.type for event in world.all_events()] == ["click"]


def test_the_account_comes_from_the_token_only(client, world):
    payload = [{"type": "view", "user": "a2"}, {"type": "view", "session_id": "mine"}]

    answer = send(client, payload, **bearer(sub="a1"), **{"X-Session-Id": "s1"})

    assert [one["index"] for one in answer.json()["rejected"]] == [0]
    assert [(event.user, event.session) for event in world.all_events()] == [("a1", "s1")]


def test_the_session_may_come_with_the_event(client, world):
    send(client, [{"type": "view", "session_id": "mine"}])

    assert [event.session for event in world.all_events()] == ["mine"]


def test_an_event_with_an_id_counts_once(client, world):
    event = [{"type": "view", "id": "e1"}]

    answers = [send(client, event).json() for _ in range(2)]

    assert answers == [{"accepted": 1, "rejected": []}] * 2
    assert len(world.all_events()) == 1


@pytest.mark.parametrize("body", [[], {}, "x", None, 1, [{"type": "view"}] * 101], ids=bad_input.name)
def test_only_1_to_100_events_are_taken(client, body):
    answer = client.post("/api/logs/events", json.dumps(body), content_type="application/json")

    bad_input.assert_problem(answer, 400)


@pytest.mark.parametrize("body", bad_input.BODIES, ids=bad_input.name)
def test_a_malformed_body_is_a_bad_request(client, body):
    bad_input.assert_problem(client.post("/api/logs/events", body, content_type="application/json"), 400)


@pytest.mark.parametrize("path", STAFF_ONLY)
def test_staff_routes_are_for_staff(client, path):
    bad_input.assert_problem(client.get(f"/api/logs/{path}"), 401)
    bad_input.assert_problem(client.get(f"/api/logs/{path}", headers=bearer()), 403)
    assert client.get(f"/api/logs/{path}", headers=bearer(roles=["admin"])).status_code == 200


def put(world, **fields):
    return world.put(**fields)


def test_events_are_listed_newest_first_and_filtered(client, world):
    old = put(world, at=NOW - timedelta(days=2), product_id="p1", user="a1")
    bought = put(world, at=NOW - timedelta(hours=1), type="purchase", product_id="p1", quantity=2)
    new = put(world, session="s1", data={"page": "/"})

    def ids(query):
        return [event["id"] for event in client.get(f"/api/logs/events?{query}", **READ).json()["results"]]

    assert ids("") == [new, bought, old]
    assert ids("type=view") == [new, old]
    assert ids("product=p1&type=view") == [old]
    assert ids("user=a1") == [old]
    assert ids("from=2026-03-10") == [new, bought]
    assert ids("from=2026-03-08&to=2026-03-09") == [old]
    assert ids("from=2026-03-10T12:30:00%2B01:00") == [new]
    assert client.get("/api/logs/events?limit=1", **READ).json()["results"] == [
        {
            "id": new,
            "type": "view",
            "user": None,
            "session": "s1",
            "product_id": None,
            "quantity": 1,
            "at": "2026-03-10T12:00:00.000Z",
            "data": {"page": "/"},
        }
    ]


def test_events_are_paged(client, world):
    made = [put(world, at=NOW + timedelta(seconds=number)) for number in range(5)]

    first = client.get("/api/logs/events?limit=3", **READ).json()
    second = client.get(f"/api/logs/events?limit=3&cursor={first['next']}", **READ).json()

    assert [event["id"] for event in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    "query",
    ["type=eat", "from=soon", "to=2026-13-01", "from=2026-03-10T12:00:00", "colour=red", "user=a&user=b"]
    + [f"limit={bad}" for bad in bad_input.BAD_LIMITS]
    + [f"cursor={bad}" for bad in bad_input.BAD_CURSORS],
    ids=bad_input.name,
)  # fmt: skip
def test_bad_parameters_are_refused(client, query):
    bad_input.assert_problem(client.get(f"/api/logs/events?{query}", **READ), 400)


def test_the_audit_trail_is_read_by_actor_and_object(client, world):
    common = {
        "arrived": NOW, "actor_name": "Ann", "action": "change", "service": "catalog",
        "object_type": "product",
    }  # fmt: skip
    for number, (actor, object_id) in enumerate([("s1", "p1"), ("s1", "p2"), ("s2", "p1")]):
        at = NOW + timedelta(seconds=number)
        world.parts.audit_entries.add(
            AuditEntry(id=f"e{number}", at=at, actor=actor, object_id=object_id, **common)
        )

    def ids(query):
        body = client.get(f"/api/logs/audit?{query}", **READ_AUDIT).json()
        return [entry["id"] for entry in body["results"]]

    assert ids("") == ["e2", "e1", "e0"]
    assert ids("actor=s1") == ["e1", "e0"]
    assert ids("object=p1") == ["e2", "e0"]
    assert ids("actor=s1&object=p1") == ["e0"]
    internal = client.get("/internal/audit?object=p2", headers=service_headers("catalog")).json()
    assert internal == {
        "results": [
            {
                "id": "e1",
                "at": "2026-03-10T12:00:01.000Z",
                "actor": "s1",
                "actor_name": "Ann",
                "action": "change",
                "service": "catalog",
                "object_type": "product",
                "object_id": "p2",
                "object_repr": "",
                "message": "",
            }
        ],
        "next": None,
    }


QUIET = {"orders": 0, "units": 0, "revenue": [], "bots": 0}


def busy_days(world):
    yesterday = NOW - timedelta(days=1)
    put(world, at=yesterday, session="s1", product_id="p1")
    put(world, session="s1", product_id="p1")
    put(world, session="s2", product_id="p2")
    put(world, session="s1", product_id="p1", type="add_to_cart")
    put(world, session="s1", type="checkout_started")
    put(world, session="s1", product_id="p1", type="purchase", quantity=3, amount=4950, currency="EUR")
    put(world, user="a1", product_id="p2", type="purchase")
    put(world, type="search", query="cup")
    put(world, type="search", query="cup", at=yesterday)
    put(world, type="search", query="pot", data={"results": 0})


def stats(client, path, query="from=2026-03-09&to=2026-03-10"):
    return client.get(f"/api/logs/stats/{path}?{query}", **READ).json()["results"]


def test_the_series_has_every_day(client, world):
    busy_days(world)

    assert stats(client, "timeseries", "from=2026-03-08&to=2026-03-10") == [
        {"day": "2026-03-08", "total": 0, "counts": {}, **QUIET},
        {"day": "2026-03-09", "total": 2, "counts": {"search": 1, "view": 1}, **QUIET},
        {
            "day": "2026-03-10",
            "total": 8,
            "counts": {"add_to_cart": 1, "checkout_started": 1, "purchase": 2, "search": 2, "view": 2},
            "orders": 1,
            "units": 4,
            "revenue": [{"amount": 4950, "currency": "EUR"}],
            "bots": 0,
        },
    ]


def test_the_funnel_counts_each_visitor_once(client, world):
    busy_days(world)

    assert stats(client, "funnel") == [
        {"step": "view", "visitors": 2, "events": 3},
        {"step": "add_to_cart", "visitors": 1, "events": 1},
        {"step": "checkout_started", "visitors": 1, "events": 1},
        {"step": "purchase", "visitors": 2, "events": 2},
    ]


def test_top_products_and_searches_are_added_up_over_the_days(client, world):
    busy_days(world)
    days = "from=2026-03-09&to=2026-03-10"

    assert stats(client, "top-products") == [
        {"product_id": "p1", "count": 2},
        {"product_id": "p2", "count": 1},
    ]
    assert stats(client, "top-products", f"{days}&type=purchase&limit=1") == [
        {"product_id": "p1", "count": 3}
    ]
    cup, pot = {"query": "cup", "without_results": 0}, {"query": "pot", "count": 1, "without_results": 1}
    assert stats(client, "searches") == [{**cup, "count": 2}, pot]
    assert stats(client, "searches", "from=2026-03-09&to=2026-03-09") == [{**cup, "count": 1}]
    assert stats(client, "searches", f"{days}&without_results=true") == [pot]


@pytest.mark.parametrize("path", STAFF_ONLY[2:])
@pytest.mark.parametrize("query", ["from=2026-03-10&to=2026-03-01", "from=1999-01-01", "to=x", "days=3"])
def test_bad_ranges_are_refused(client, path, query):
    bad_input.assert_problem(client.get(f"/api/logs/{path}?{query}", **READ), 400)


def test_reco_reads_the_whole_history(client, world):
    made = [put(world, product_id="p1", user="a1", session="s1") for _ in range(3)]
    headers = service_headers("reco")

    first = client.get("/internal/events?limit=2", headers=headers).json()
    second = client.get(f"/internal/events?limit=2&after={first['next']}", headers=headers).json()

    assert [event["id"] for event in first["results"] + second["results"]] == made
    assert (second["next"], first["results"][0]["session"]) == (None, "s1")
    bad_input.assert_problem(client.get("/internal/events?after=x", headers=headers), 400)
    bad_input.assert_problem(client.get("/internal/events?limit=1001", headers=headers), 400)
    bad_input.assert_problem(client.get("/internal/events", headers=service_headers("cart")), 403)
    bad_input.assert_problem(client.get("/internal/events", headers=bearer(roles=["admin"])), 403)


def test_the_inbox_accepts_events(client, world):
    event = {
        "id": "e1", "type": "order.confirmed", "source": "checkout", "subject": "HM-1", "seq": 1,
        "at": "2026-03-10T12:00:00.000Z", "data": {"lines": [{"product_id": "p1", "quantity": 1}]},
    }  # fmt: skip

    answers = [
        client.post(
            "/internal/events", [event], content_type="application/json", headers=service_headers("checkout")
        ).json()
        for _ in range(2)
    ]

    assert [answer["results"][0]["status"] for answer in answers] == ["done", "duplicate"]
    assert [event.type for event in world.all_events()] == ["purchase"]
    bad_input.assert_problem(client.post("/internal/events", [event], content_type="application/json"), 401)


def test_a_file_is_imported_by_the_command(world, tmp_path, capsys):
    file = tmp_path / "history.jsonl"
    row = {"id": "x1", "type": "view", "session": "s1", "product_id": "p1", "at": "2026-01-01T00:00:00Z"}
    file.write_text(json.dumps(row) + "\n")

    call_command("import_events", str(file))

    assert capsys.readouterr().out == "1 read, 1 stored, 0 known\n"
    assert [(event.type, event.session) for event in world.all_events()] == [("view", "s1")]
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_events", str(tmp_path / "none"))


def test_every_view_declares_permissions():
    assert_every_view_declares_permissions()
