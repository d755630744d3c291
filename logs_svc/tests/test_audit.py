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
    fact = Envelope(
        id=id, type="audit.recorded", source=service, subject="p1", seq=1, at=world.now, data=data
    )
    return world.parts.facts.audit_recorded(fact)


@pytest.fixture
def trail(world):
    """Five entries of two writers on two days."""
    for number in range(3):
        write(world, f"c{number}")
    write(world, "a1", service="auth")
    world.now += timedelta(days=1)
    write(world, "c3")
    return world


def faults(world, expected=None):
    return world.parts.trail.verify(expected).faults


def documents(world):
    return world.parts.registry.open("audit")


def change(world, id, **fields):
    document = documents(world).get(id)
    documents(world).put({**document, **fields})


def remove(world, id):
    documents(world).delete(id, documents(world).get(id)["_rev"])


def test_a_trail_that_nobody_touched_is_whole(trail):
    verdict = trail.parts.trail.verify()

    assert (verdict.entries, verdict.links, verdict.faults) == (5, 5, [])
    assert {chain: number for chain, (number, _) in verdict.heads.items()} == {
        "auth.2026-03-10": 1,
        "catalog.2026-03-10": 3,
        "catalog.2026-03-11": 1,
    }


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("actor", "bob", "who did it was changed"),
        ("message", "Nothing.", "what it says was changed"),
        ("action", "add", "is not what its chain says"),
        ("at", "2026-03-09T12:00:00.000Z", "is not what its chain says"),
    ],
)
def test_a_changed_entry_is_found(trail, field, value, reason):
    change(trail, "entry:c1", **{field: value})

    assert faults(trail) == [f"entry c1: {reason}"]


def test_a_deleted_entry_is_found(trail):
    remove(trail, "entry:c1")

    assert faults(trail) == ["entry c1: is gone"]


def test_a_deleted_link_is_found(trail):
    remove(trail, "link:catalog.2026-03-10.00000002")

    assert "catalog.2026-03-10.00000003: links before it are missing" in faults(trail)


def test_links_in_another_order_are_found(trail):
    one, two = (f"link:catalog.2026-03-10.0000000{number}" for number in (2, 3))
    first, second = documents(trail).get(one), documents(trail).get(two)
    for id, link in ((one, second), (two, first)):
        change(trail, id, entry=link["entry"], digest=link["digest"])

    assert "catalog.2026-03-10.00000002: was changed" in faults(trail)


def test_the_loss_of_the_last_entries_is_found(trail):
    remove(trail, "link:catalog.2026-03-11.00000001")
    remove(trail, "entry:c3")

    assert faults(trail) == ["catalog.2026-03-11: ends at 0, but had 1 links"]


def test_the_loss_of_a_whole_day_is_found_by_the_next(trail):
    for number in (1, 2, 3):
        remove(trail, f"link:catalog.2026-03-10.0000000{number}")
        remove(trail, f"entry:c{number - 1}")
    remove(trail, "head:catalog.2026-03-10")

    assert any("the chain before it does not have what it follows" in fault for fault in faults(trail))


def test_an_entry_slipped_in_is_found(trail):
    entry = AuditEntry(id="x", at=NOW, arrived=NOW, service="catalog", **WRITE)
    entry.seal("a", "b")
    trail.parts.audit.add(entry)

    assert faults(trail) == ["entry x: is in no chain"]


def test_heads_kept_elsewhere_find_a_trail_that_was_written_anew(trail, tmp_path):
    heads = tmp_path / "heads.json"
    call_command("verify_audit", heads=heads, stdout=StringIO())
    for number in (1, 2, 3):
        remove(trail, f"link:catalog.2026-03-10.0000000{number}")
        remove(trail, f"entry:c{number - 1}")
    for id in ("head:catalog.2026-03-10", "link:catalog.2026-03-11.00000001", "entry:c3"):
        remove(trail, id)
    remove(trail, "head:catalog.2026-03-11")
    write(trail, "c9")

    assert faults(trail) == []
    with pytest.raises(CommandError, match="faults: the audit trail is not what was written"):
        call_command("verify_audit", heads=heads, stdout=StringIO(), stderr=StringIO())


def test_the_command_says_how_it_is(trail, capsys):
    call_command("verify_audit")

    assert capsys.readouterr().out.splitlines() == [
        "5 entries, 5 links in 3 chains",
        "the audit trail is as it was written",
    ]


def test_many_writers_at_once_make_one_chain(world):
    outcomes = []

    def deliver(worker):
        for number in range(6):
            outcomes.append(write(world, f"e{(number + worker) % 9}"))

    threads = [threading.Thread(target=deliver, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    verdict = world.parts.trail.verify()
    assert verdict.faults == []
    assert verdict.entries == 9
    assert outcomes.count("done") >= 9


def test_a_crash_between_entry_and_link_is_mended_when_it_is_told_again(world):
    write(world, "c0")
    remove(world, "link:catalog.2026-03-10.00000001")
    remove(world, "head:catalog.2026-03-10")
    before = faults(world)

    again = write(world, "c0")

    assert before == ["entry c0: is in no chain"]
    assert (again, faults(world)) == ("done", [])


def erase(world, account="ann"):
    fact = Envelope(
        id="f1", type="account.erased", source="auth", subject=account, seq=1, at=NOW,
        data={"account_id": account},
    )  # fmt: skip
    return world.parts.facts.account_erased(fact)


def test_an_erased_person_leaves_the_trail_and_the_chains_hold(trail):
    write(
        trail, "a2", service="auth", actor="bob", actor_name="Bob", object_id="ann", object_repr="ann@x.org"
    )

    outcomes = [erase(trail), erase(trail)]

    verdict = trail.parts.trail.verify()
    everything = str([row["doc"] for row in documents(trail).all_docs({"include_docs": True})]).lower()
    assert outcomes == ["done", "duplicate"]
    assert verdict.faults == []
    assert verdict.erased == 6
    assert "ann" not in everything.replace("channel", "")
    assert "bob" in everything


def test_an_erasure_that_nobody_recorded_is_found(trail):
    entry = trail.parts.audit.get("c1")
    entry.forget_actor("erased-1", "made-up")
    trail.parts.audit.save(entry)

    assert faults(trail) == ["entry c1: was erased by made-up, of which nothing is known"]


def test_entries_of_before_the_chains_get_their_place(world):
    for number in range(3):
        fields = {**WRITE, "service": "catalog"}
        world.parts.audit.add(AuditEntry(id=f"old{number}", at=NOW, arrived=NOW, **fields))
    before = world.parts.trail.verify()

    world.parts.keeper.upgrade()

    after = world.parts.trail.verify()
    assert (before.unsealed, before.faults) == (3, [])
    assert (after.unsealed, after.links, after.faults) == (0, 3, [])
