import json
from datetime import timedelta

import pytest
from conftest import NOW

from chassis.messaging import Envelope, Rejected
from logs.domain import AuditEntry, Event
from logs.services import Days, EventFilter

TODAY = Days(NOW.date(), NOW.date())
ORDER = {
    "order_id": "HM-1",
    "number": "HM-1",
    "account_id": "a1",
    "session_id": "s1",
    "cart_id": "c1",
    "lines": [
        {"sku": "cup", "product_id": "p1", "quantity": 2, "unit_price": 1200},
        {"sku": "pot", "product_id": "p2", "quantity": 1, "unit_price": 2550},
    ],
    "total": {"amount": 4950, "currency": "EUR"},
}
WRITE = {
    "actor": "staff-1",
    "actor_name": "Ann",
    "action": "change",
    "service": "catalog",
    "object_type": "product",
    "object_id": "p1",
    "object_repr": "Cup",
    "message": "Changed price.",
    "at": "2026-03-10T10:00:00.000Z",
}


def envelope(type, data, *, source="checkout", id="e1"):
    return Envelope(id=id, type=type, source=source, subject="HM-1", seq=1, at=NOW, data=data)


def test_a_confirmed_order_is_one_purchase_per_line_and_counts_once(world):
    event = envelope("order.confirmed", ORDER)

    outcomes = [world.parts.event_handlers.order_confirmed(event) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    total = {"amount": 4950, "currency": "EUR"}
    cup = {"order": "HM-1", "sku": "cup", "price": 1200, "total": total}
    pot = {"order": "HM-1", "sku": "pot", "price": 2550}
    assert [
        (e.type, e.product_id, e.quantity, e.user, e.session, e.at, e.data) for e in world.all_events()
    ] == [("purchase", "p1", 2, "a1", "s1", NOW, cup), ("purchase", "p2", 1, "a1", "s1", NOW, pot)]
    overview = world.parts.stats.range_figures(TODAY).overview
    assert (overview.orders, overview.units, overview.revenue) == (1, 3, {"EUR": 4950})


def test_an_order_without_lines_is_rejected(world):
    for lines in (None, "x", [1], [{"product_id": "p1"}], [{"product_id": "p1", "quantity": True}]):
        with pytest.raises(Rejected):
            world.parts.event_handlers.order_confirmed(envelope("order.confirmed", {**ORDER, "lines": lines}))


def test_a_staff_write_is_stored_once(world):
    event = envelope("audit.recorded", WRITE, source="catalog")

    outcomes = [world.parts.event_handlers.audit_recorded(event) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    (entry,) = world.parts.audit_entries.find("by_time").items
    sealed = {name: getattr(entry, name) for name in ("who", "what", "who_salt", "what_salt")}
    assert entry == AuditEntry(
        id="e1", rev=entry.rev, arrived=NOW, **{**WRITE, "at": NOW - timedelta(hours=2)}, **sealed
    )
    assert all(sealed.values())


def test_a_service_cannot_report_staff_writes_of_another(world):
    with pytest.raises(Rejected):
        world.parts.event_handlers.audit_recorded(envelope("audit.recorded", WRITE, source="cart"))


def test_an_erased_account_is_forgotten_and_its_events_stay(world):
    world.parts.event_handlers.order_confirmed(envelope("order.confirmed", ORDER))
    event = envelope("account.erased", {"account_id": "a1"}, source="auth", id="e2")

    outcomes = [world.parts.event_handlers.account_erased(event) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    assert [(e.product_id, e.user, e.session) for e in world.all_events()] == [
        ("p1", None, None),
        ("p2", None, None),
    ]


def test_erasure_skips_events_of_other_accounts_in_a_session(world):
    def send(user, at):
        row = {"type": "view", "user": user, "session": "s1", "product_id": "p", "at": at.isoformat()}
        list(world.parts.importer.events_import([json.dumps(row)]))

    for number in range(3):
        send(None if number else "b2", NOW - timedelta(minutes=9 - number))
    identity = world.parts.maintenance._identities.get("s1")
    world.parts.maintenance._identities.update(
        "s1", lambda identity: setattr(identity, "accounts", ["a1"])
    )  # b2's was dropped

    world.parts.erasure.erase("a1", erasure="e1")

    assert identity.accounts == ["b2"]
    assert [(event.user, event.session) for event in world.all_events()] == [
        ("b2", "s1"),
        (None, None),
        (None, None),
    ]


def lines(count):
    for number in range(count):
        row = {
            "id": f"demo-{number}",
            "type": "view",
            "user": "demo-person-1" if number % 2 else None,
            "session_id": f"demo-{number % 7}",
            "product_id": f"p{number % 5}",
            "at": (NOW - timedelta(minutes=number)).isoformat(),
            "quantity": 1,
            "data": {"demo": True},
        }
        yield json.dumps(row) + "\n"


def test_a_history_is_imported_once_with_progress(world):
    progress = [(p.read, p.stored, p.known) for p in world.parts.importer.events_import(lines(6200))]
    again = [(p.read, p.stored, p.known) for p in world.parts.importer.events_import(lines(6200))]

    assert progress == [(5000, 5000, 0), (6200, 6200, 0)]
    assert again[-1] == (6200, 0, 6200)
    second = world.all_events()[1]
    assert second == Event(
        id=second.id,
        type="view",
        at=NOW - timedelta(minutes=1),
        user="demo-person-1",
        session="demo-1",
        product_id="p1",
        data={"demo": True},
        batch=second.batch,
        rev=second.rev,
    )


def test_an_invalid_line_is_reported_and_the_others_are_imported(world):
    good = next(lines(1))

    (progress,) = world.parts.importer.events_import(
        [good, "not json\n", '{"type": "eat"}\n', "\n", '{"type": "view", "id": "a b", "at": "x"}\n']
    )

    assert (progress.read, progress.stored) == (5, 1)
    assert [number for number, _ in progress.errors] == [2, 3, 5]


def test_future_events_are_not_imported(world):
    at = [NOW + timedelta(days=2), NOW + timedelta(hours=3), NOW]

    (progress,) = world.parts.importer.events_import(
        [json.dumps({"type": "view", "session": "s", "product_id": "p", "at": one.isoformat()}) for one in at]
    )

    assert progress.errors == [(1, "InvalidEvent: at: in the future")]
    assert [event.at for event in world.all_events()] == [NOW, NOW]  # another clock was a little ahead


def minutes(event):
    return round((NOW - event.at).total_seconds() / 60)


def test_events_are_read_in_order_of_arrival(world):
    list(world.parts.importer.events_import(lines(25)))

    seen, cursor = [], None
    while True:
        page = world.parts.event_queries.events_after(cursor, limit=10)
        seen += [minutes(event) for event in page.events]
        cursor = page.next
        if cursor is None:
            break

    assert seen == list(range(25))


def test_filters_without_a_common_index_are_combined(world):
    list(world.parts.importer.events_import(lines(60)))
    wanted = EventFilter(user="demo-person-1", product="p3", type="view", start=NOW - timedelta(minutes=30))

    found, cursor = [], None
    while True:
        page = world.parts.event_queries.events_list(wanted, limit=4, cursor=cursor)
        found += [minutes(event) for event in page]
        cursor = page.next
        if cursor is None:
            break

    # A session in which the person signed in is theirs from its beginning.
    assert found == [3, 8, 13, 18, 23, 28]
