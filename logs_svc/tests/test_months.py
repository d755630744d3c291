import json
import sys
from datetime import timedelta
from io import StringIO

import pytest
from conftest import NOW
from django.core.management import CommandError, call_command
from test_services import ORDER, envelope, lines

from chassis.couch import CouchError, Unavailable
from logs import container
from logs.domain import MIN_MONTHS_AHEAD, AuditEntry, Months
from logs.domain.months import month_of_id, next_month
from logs.services import Days, EventFilter, Visitor

ANYBODY = Visitor(session="s1")


def send(world, *events, **visitor):
    payload = [{"type": "view", **event} for event in events]
    return world.parts.intake.events_accept(payload, Visitor(**visitor) if visitor else ANYBODY)


def products(world, wanted=None, **page):
    found = world.parts.event_queries.events_list(
        wanted or EventFilter(), **{"limit": 100, "cursor": None, **page}
    )
    return [event.product_id for event in found]


def test_the_next_month_of_december_is_january():
    assert [next_month("2026-11"), next_month("2026-12")] == ["2026-12", "2027-01"]
    assert month_of_id("019cd7a3-5c00-7000-8000-000000000001-0003") == "2026-03"
    assert [month_of_id(id) for id in ("", "i-demo-1", "c" * 40, "é" * 40)] == [None] * 4


def test_a_month_without_a_database_uses_the_one_before():
    months = Months(("2026-01", "2026-03"))

    places = [months.month_for(month) for month in ("2025-12", "2026-01", "2026-02", "2026-03", "2026-09")]

    assert places == ["2026-01", "2026-01", "2026-01", "2026-03", "2026-03"]
    assert Months().month_for("2026-01") is None


def test_months_ahead_are_counted_up_to_the_first_gap():
    months = Months(("2026-01", "2026-02", "2026-04"))

    assert [months.count_ahead(now) for now in ("2025-12", "2026-01", "2026-02", "2026-04")] == [-1, 1, 0, 0]


def test_databases_of_later_months_are_not_read():
    months = Months(("2026-01", "2026-02", "2026-03", "2026-04"))

    assert months.active("2026-02").all == ("2026-01", "2026-02", "2026-03")
    assert Months(("2026-07", "2026-08")).active("2026-02").all == ("2026-07",)  # events go there then
    assert Months().active("2026-02") == Months()


def test_this_month_and_the_next_three_are_created(world):
    assert world.parts.registry.months().all == ("2026-03", "2026-04", "2026-05", "2026-06")

    world.now += timedelta(days=25)
    on_the_first = world.parts.registry.count_ahead()
    world.parts.maintenance.months_rotate()

    assert on_the_first == MIN_MONTHS_AHEAD
    assert world.parts.registry.months().all == ("2026-03", "2026-04", "2026-05", "2026-06", "2026-07")


def test_months_created_by_another_process_are_found(world):
    other = world.new_process()
    world.now += timedelta(days=62)
    before = other.registry.count_ahead()

    world.parts.maintenance.months_rotate()

    assert (before, other.registry.count_ahead()) == (1, 3)


def test_lists_and_cursors_span_months(world):
    for number in range(5):
        world.now = NOW + timedelta(days=25 * number)
        world.parts.maintenance.months_rotate()
        send(world, {"product_id": f"p{number}"})

    newest_first = products(world)
    first = world.parts.event_queries.events_list(EventFilter(), limit=2, cursor=None)
    second = products(world, cursor=first.next)
    arrived, cursor = [], None
    while True:
        page = world.parts.event_queries.events_after(cursor, limit=2)
        arrived += [event.product_id for event in page.events]
        cursor = page.next
        if cursor is None:
            break

    assert newest_first == ["p4", "p3", "p2", "p1", "p0"]
    assert [e.product_id for e in first] + second == newest_first
    assert arrived == newest_first[::-1]
    assert products(world, EventFilter(start=NOW + timedelta(days=70))) == ["p4", "p3"]


def test_a_reader_continues_from_its_checkpoint(world):
    send(world, {"product_id": "p1"})
    world.parts.flusher.flush()
    fresh = world.parts.event_queries.events_after(None, limit=10)
    world.now += timedelta(minutes=1)
    settled = world.parts.event_queries.events_after(None, limit=10)
    send(world, {"product_id": "p2"})

    later = world.parts.event_queries.events_after(settled.checkpoint, limit=10)

    assert fresh.checkpoint is None  # what was named just now may still be overtaken
    assert [event.product_id for event in later.events] == ["p2"]


def test_an_event_sent_again_in_the_next_month_counts_once(world):
    world.now = NOW.replace(month=3, day=31, hour=23, minute=59)
    event = {"id": "e1", "product_id": "p1", "at": world.now.isoformat()}
    send(world, event)
    world.parts.flusher.flush()

    world.now += timedelta(minutes=5)
    send(world, event)

    assert products(world) == ["p1"]


def test_a_delivery_repeated_in_the_next_month_counts_once(world):
    event = envelope("order.confirmed", ORDER)
    first = world.parts.event_handlers.order_confirmed(event)

    world.now += timedelta(days=40)
    world.parts.maintenance.months_rotate()
    again = world.parts.event_handlers.order_confirmed(event)

    assert (first, again) == ("done", "duplicate")
    assert len(world.all_events()) == 2


class NoRights:
    """A server that lets this user create and drop nothing, like a deployed one."""

    def destroy(self, database):
        raise CouchError(f"{database}: you are not a server admin")


def refusing(open, months):
    def opened(name):
        store = open(name)
        if not name.endswith(months):
            return store

        class Refusing:
            def __getattr__(self, attribute):
                return getattr(store, attribute)

            def ensure(self, designs):
                raise Unavailable("you are not a server admin")

        return Refusing()

    return opened


def test_events_go_to_the_last_month_if_a_month_cannot_be_created(world):
    registry = world.parts.registry
    registry.open = refusing(registry.open, ("2026-07", "2026-08", "2026-09", "2026-10"))
    world.now = NOW + timedelta(days=122)
    world.parts.maintenance.months_rotate()

    send(world, {"product_id": "p1"})
    world.parts.flusher.flush()

    assert registry.months().all == ("2026-03", "2026-04", "2026-05", "2026-06")
    assert products(world) == ["p1"]
    assert len(registry.open("events-2026-06").all_docs({})) == 1


def test_an_expired_month_is_dropped_and_its_figures_stay(world):
    send(world, {"product_id": "p1"})
    world.parts.flusher.flush()
    world.parts.maintenance.rollups_merge(all=True)

    world.now = NOW + timedelta(days=400)
    kept = world.parts.maintenance.months_rotate()
    world.now = NOW + timedelta(days=430)
    dropped = world.parts.maintenance.months_rotate()

    assert (kept, dropped) == ([], ["2026-03"])
    assert products(world) == []
    assert world.parts.registry.open("events-2026-03").all_docs({}) == []
    series = world.parts.stats.timeseries(Days(NOW.date(), NOW.date()))
    assert series[0].counts == {"view": 1}


def test_a_refused_drop_is_tried_again(world):
    world.now = NOW + timedelta(days=430)
    maintenance = world.parts.maintenance
    allowed, maintenance._databases = maintenance._databases, NoRights()

    refused = maintenance.months_rotate()
    maintenance._databases = allowed

    assert refused == []
    assert maintenance.months_rotate() == ["2026-03", "2026-04"][:1]


def test_an_older_installation_is_upgraded(world):
    old = world.parts.registry.open("events")
    for number in range(7):
        old.put(
            {
                "_id": f"event:old-{number}", "type": "event", "schema": 1, "type_": "view",
                "at": "2026-03-01T10:00:00.000Z", "arrived": f"{number}", "user": "a1", "session": None,
                "product_id": "p1", "quantity": 1, "query": None, "data": {}, "version": 0,
            }
        )  # fmt: skip
    send(world, {"product_id": "p2"})

    counted = [world.parts.maintenance.upgrade(), world.new_process().maintenance.upgrade()]

    march = Days(NOW.date().replace(day=1), NOW.date())
    assert counted == [7, 0]
    assert world.parts.stats.top_products(march, type="view", limit=5) == [("p1", 7), ("p2", 1)]
    assert products(world, EventFilter(user="a1")) == ["p1"] * 7
    history = world.parts.event_queries.events_after(None, limit=5)
    rest = world.parts.event_queries.events_after(history.next, limit=5)
    assert [event.product_id for event in (*history.events, *rest.events)] == ["p1"] * 7 + ["p2"]


def test_an_interrupted_upgrade_counts_each_event_once(world):
    old = world.parts.registry.open("events")
    for number in range(900):
        at = "2026-03-01T10:00:00.000Z"
        old.put({"_id": f"event:old-{number:04d}", "type": "event", "type_": "view", "at": at, "data": {}})
    world.parts.registry.register_legacy()
    parts = world.parts.maintenance._event_store.scan("events")
    from logs.domain.rollup import by_day
    from logs.services.maintenance import _incoming_event

    world.parts.rollups.add("legacy-000000", by_day([_incoming_event(doc) for doc in next(parts)]))

    world.parts.maintenance.upgrade()

    series = world.parts.stats.timeseries(Days(NOW.date().replace(day=1), NOW.date()))
    assert series[0].counts == {"view": 900}


def test_a_session_belongs_to_the_account_that_signed_in_within_it(world):
    send(world, {"product_id": "before"}, session="s1")
    world.now += timedelta(minutes=1)
    send(world, {"product_id": "signed in"[:6]}, session="s1", user="a1")
    send(world, {"product_id": "elsewhere"}, session="s2")

    history = world.parts.event_queries.events_after(None, limit=10).events

    assert [(event.product_id, event.user) for event in history] == [
        ("before", "a1"), ("signed", "a1"), ("elsewhere", None),
    ]  # fmt: skip
    assert products(world, EventFilter(user="a1")) == ["signed", "before"]


def test_a_session_of_several_accounts_has_no_owner(world):
    send(world, {"product_id": "before"}, session="s1")
    send(world, {"product_id": "one"}, session="s1", user="a1")
    send(world, {"product_id": "two"}, session="s1", user="a2")

    history = world.parts.event_queries.events_after(None, limit=10).events

    assert [(event.product_id, event.user) for event in history] == [
        ("before", None), ("one", "a1"), ("two", "a2"),
    ]  # fmt: skip


def test_pages_of_a_user_over_sessions_have_each_event_once(world):
    for number in range(12):
        world.now += timedelta(seconds=number % 2)
        send(world, {"product_id": f"p{number:02d}"}, session=f"s{number % 3}", user=["a1", None][number % 2])

    found, cursor = [], None
    while True:
        page = world.parts.event_queries.events_list(EventFilter(user="a1"), limit=5, cursor=cursor)
        found += [event.product_id for event in page]
        cursor = page.next
        if cursor is None:
            break

    assert sorted(found) == [f"p{number:02d}" for number in range(12)]


def test_an_erased_account_is_removed_from_its_sessions(world):
    send(world, {"product_id": "before"}, session="s1")
    send(world, {"product_id": "after"}, session="s1", user="a1")
    event = envelope("account.erased", {"account_id": "a1"}, source="auth", id="e2")

    outcomes = [world.parts.event_handlers.account_erased(event) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    assert [(e.product_id, e.user, e.session) for e in world.all_events()] == [
        ("before", None, None), ("after", None, None),
    ]  # fmt: skip
    assert "s1" not in str(world.parts.registry.open("ties").all_docs({"include_docs": True}))


def test_old_session_identities_are_deleted(world):
    send(world, {}, session="s1", user="a1")
    world.parts.flusher.flush()
    world.now += timedelta(days=401)

    assert [world.parts.maintenance.identities_expire() for _ in range(2)] == [1, 0]


def test_without_consent_events_are_counted_without_identity(world):
    send(world, {"session_id": "mine", "product_id": "p1"}, user="a1", session="s1", consented=False)

    overview = world.parts.stats.range_figures(Days(NOW.date(), NOW.date())).overview
    assert [(e.product_id, e.user, e.session) for e in world.all_events()] == [("p1", None, None)]
    assert (overview.events, overview.anonymous, overview.visitors) == (1, 1, 0)


def test_an_exported_history_can_be_imported(world, tmp_path, capsys):
    list(world.parts.importer.events_import(lines(30)))
    file = tmp_path / "events.jsonl"

    call_command("export_events", str(file))

    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert capsys.readouterr().out == f"30 events in {file}\n"
    assert rows[0] | {"id": ""} == {
        "id": "", "type": "view", "at": "2026-03-10T12:00:00.000Z", "user": "demo-person-1",
        "session": "demo-0",
        "product_id": "p0", "quantity": 1, "query": None, "data": {"demo": True},
    }  # fmt: skip
    (progress,) = world.parts.importer.events_import(file.read_text().splitlines())
    assert (progress.stored, progress.errors) == (30, [])


def test_the_history_is_exported_as_parquet(world, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    list(world.parts.importer.events_import(lines(600)))
    file = tmp_path / "events.parquet"

    call_command("export_events", str(file), format="parquet", stdout=StringIO())

    table = parquet.read_table(file)
    assert table.num_rows == 600
    assert table.column("data")[0].as_py() == '{"demo": true}'
    assert table.column("at")[0].as_py() == NOW


def test_the_export_explains_a_missing_pyarrow(world, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(CommandError, match=r"requirements/science\.txt"):
        call_command("export_events", str(tmp_path / "x.parquet"), format="parquet")
    assert list(tmp_path.glob("x.*")) == []


def test_all_months_are_prepared_and_backed_up(world):
    names = {collection.database for collection in container.COLLECTIONS}

    assert {"rollups", "ties", "audit", "events-2026-03", "seen-2026-03", "events-2026-04"} <= names


def test_retention_keeps_the_audit_trail(world):
    fields = {"actor": "a", "actor_name": "", "action": "add", "service": "auth", "object_type": "x"}
    world.parts.audit_trail.append(AuditEntry(id="e1", at=NOW, arrived=NOW, object_id="o", **fields))
    world.now = NOW + timedelta(days=4000)

    world.parts.maintenance.months_rotate()

    assert len(world.parts.audit_entries.find("by_time").items) == 1
