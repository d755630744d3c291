import threading
from datetime import timedelta
from io import StringIO

import pytest
from conftest import NOW
from django.core.management import CommandError, call_command

from chassis.messaging import Envelope
from logs.domain import AuditEntry

WRITE = {
    "actor": "ann", "actor_name": "Ann", "action": "change", "object_type": "product", "object_id": "p1",
    "object_repr": "Cup", "message": "Changed price.",
}  # fmt: skip


def write(world, id, *, service="catalog", **more):
    data = {**WRITE, "service": service, **more}
    event = Envelope(
        id=id, type="audit.recorded", source=service, subject="p1", seq=1, at=world.now, data=data
    )
    return world.parts.event_handlers.audit_recorded(event)


@pytest.fixture
def trail(world):
    """Return a world with five entries of two writers on two days."""
    for number in range(3):
        write(world, f"c{number}")
    write(world, "a1", service="auth")
    world.now += timedelta(days=1)
    write(world, "c3")
    return world


def problems(world, expected=None):
    return world.parts.audit_trail.verify(expected).problems


def documents(world):
    return world.parts.registry.open("audit")


def change(world, id, **fields):
    document = documents(world).get(id)
    documents(world).put({**document, **fields})


def remove(world, id):
    documents(world).delete(id, documents(world).get(id)["_rev"])


def test_an_untouched_trail_is_intact(trail):
    report = trail.parts.audit_trail.verify()

    assert (report.entries, report.links, report.problems) == (5, 5, [])
    assert {chain: number for chain, (number, _) in report.heads.items()} == {
        "auth.2026-03-10": 1,
        "catalog.2026-03-10": 3,
        "catalog.2026-03-11": 1,
    }


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("actor", "bob", "the actor was changed"),
        ("message", "Nothing.", "the content was changed"),
        ("action", "add", "does not match its chain"),
        ("at", "2026-03-09T12:00:00.000Z", "does not match its chain"),
    ],
)
def test_a_changed_entry_is_found(trail, field, value, reason):
    change(trail, "entry:c1", **{field: value})

    assert problems(trail) == [f"entry c1: {reason}"]


def test_a_deleted_entry_is_found(trail):
    remove(trail, "entry:c1")

    assert problems(trail) == ["entry c1: is gone"]


def test_a_deleted_link_is_found(trail):
    remove(trail, "link:catalog.2026-03-10.00000002")

    assert "catalog.2026-03-10.00000003: links before it are missing" in problems(trail)


def test_links_in_another_order_are_found(trail):
    one, two = (f"link:catalog.2026-03-10.0000000{number}" for number in (2, 3))
    first, second = documents(trail).get(one), documents(trail).get(two)
    for id, link in ((one, second), (two, first)):
        change(trail, id, entry=link["entry"], digest=link["digest"])

    assert "catalog.2026-03-10.00000002: was changed" in problems(trail)


def test_the_loss_of_the_last_entries_is_found(trail):
    remove(trail, "link:catalog.2026-03-11.00000001")
    remove(trail, "entry:c3")

    assert problems(trail) == ["catalog.2026-03-11: ends at 0, but had 1 links"]


def test_the_loss_of_a_whole_day_is_found_on_the_next_day(trail):
    for number in (1, 2, 3):
        remove(trail, f"link:catalog.2026-03-10.0000000{number}")
        remove(trail, f"entry:c{number - 1}")
    remove(trail, "head:catalog.2026-03-10")

    assert any("the chain before it does not have what it follows" in problem for problem in problems(trail))


def test_an_inserted_entry_is_found(trail):
    entry = AuditEntry(id="x", at=NOW, arrived=NOW, service="catalog", **WRITE)
    entry.seal("a", "b")
    trail.parts.audit_entries.add(entry)

    assert problems(trail) == ["entry x: is not in a chain"]


def test_stored_heads_reveal_a_rewritten_trail(trail, tmp_path):
    heads = tmp_path / "heads.json"
    call_command("verify_audit", heads=heads, stdout=StringIO())
    for number in (1, 2, 3):
        remove(trail, f"link:catalog.2026-03-10.0000000{number}")
        remove(trail, f"entry:c{number - 1}")
    for id in ("head:catalog.2026-03-10", "link:catalog.2026-03-11.00000001", "entry:c3"):
        remove(trail, id)
    remove(trail, "head:catalog.2026-03-11")
    write(trail, "c9")

    assert problems(trail) == []
    with pytest.raises(CommandError, match="problems: the audit trail was changed"):
        call_command("verify_audit", heads=heads, stdout=StringIO(), stderr=StringIO())


def test_the_command_reports_an_intact_trail(trail, capsys):
    call_command("verify_audit")

    assert capsys.readouterr().out.splitlines() == [
        "5 entries, 5 links in 3 chains",
        "the audit trail is intact",
    ]


def test_concurrent_writers_make_one_chain(world):
    outcomes = []

    def deliver(worker):
        for number in range(6):
            outcomes.append(write(world, f"e{(number + worker) % 9}"))

    threads = [threading.Thread(target=deliver, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    report = world.parts.audit_trail.verify()
    assert report.problems == []
    assert report.entries == 9
    assert outcomes.count("done") >= 9


def test_a_crash_between_entry_and_link_is_repaired_by_a_second_delivery(world):
    write(world, "c0")
    remove(world, "link:catalog.2026-03-10.00000001")
    remove(world, "head:catalog.2026-03-10")
    before = problems(world)

    again = write(world, "c0")

    assert before == ["entry c0: is not in a chain"]
    assert (again, problems(world)) == ("done", [])


def erase(world, account="ann"):
    event = Envelope(
        id="f1", type="account.erased", source="auth", subject=account, seq=1, at=NOW,
        data={"account_id": account},
    )  # fmt: skip
    return world.parts.event_handlers.account_erased(event)


def test_erasing_a_person_keeps_the_chains_valid(trail):
    write(
        trail, "a2", service="auth", actor="bob", actor_name="Bob", object_id="ann", object_repr="ann@x.org"
    )

    outcomes = [erase(trail), erase(trail)]

    report = trail.parts.audit_trail.verify()
    everything = str([row["doc"] for row in documents(trail).all_docs({"include_docs": True})]).lower()
    assert outcomes == ["done", "duplicate"]
    assert report.problems == []
    assert report.erased == 6
    assert "ann" not in everything.replace("channel", "")
    assert "bob" in everything


def test_an_unrecorded_erasure_is_found(trail):
    entry = trail.parts.audit_entries.get("c1")
    entry.forget_actor("erased-1", "made-up")
    trail.parts.audit_entries.save(entry)

    assert problems(trail) == ["entry c1: was erased by made-up, which is not recorded"]


def test_an_upgrade_chains_older_entries(world):
    for number in range(3):
        fields = {**WRITE, "service": "catalog"}
        world.parts.audit_entries.add(AuditEntry(id=f"old{number}", at=NOW, arrived=NOW, **fields))
    before = world.parts.audit_trail.verify()

    world.parts.maintenance.upgrade()

    after = world.parts.audit_trail.verify()
    assert (before.unsealed, before.problems) == (3, [])
    assert (after.unsealed, after.links, after.problems) == (0, 3, [])
