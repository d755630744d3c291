import os
import signal
import subprocess
import sys
from collections import Counter

import pytest
from conftest import NOW

from chassis.ids import new_id
from logs.domain import Told
from logs.journal import Journal, JournalFull
from logs.services import Visitor

VIEW = {"type": "view", "product_id": "p1", "id": "e1"}


def seen(world):
    return [(event.type, event.product_id) for event in world.all_events()]


def test_what_is_appended_is_read_back_after_it_is_sealed(tmp_path):
    journal = Journal(tmp_path, new_id)

    assert journal.seal() is None
    journal.append(b"one")
    journal.append(b"two")
    sealed = journal.seal()
    journal.append(b"three")

    assert sealed.read_bytes() == b"one\ntwo\n"
    assert journal.sealed() == [sealed]
    assert journal.waiting() == 14
    journal.done(sealed, 8)
    assert journal.waiting() == 6


def test_a_full_journal_takes_no_more(tmp_path):
    journal = Journal(tmp_path, new_id, most=10)
    journal.append(b"12345")

    with pytest.raises(JournalFull):
        journal.append(b"123456")


def test_a_living_process_keeps_its_file_and_a_dead_ones_is_adopted(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from chassis.ids import new_id;"
        " from logs.journal import Journal; Journal(Path(sys.argv[1]), new_id).append(b'one');"
        " print('ready', flush=True); time.sleep(60)"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(tmp_path)], env=env, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"ready\n"
        mine = Journal(tmp_path, new_id)

        while_alive = mine.adopt()
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        after = mine.adopt()

    assert (while_alive, after) == (0, 1)
    assert [path.read_bytes() for path in mine.sealed()] == [b"one\n"]


def test_a_torn_line_was_never_answered_and_is_left_out(world):
    world.parts.drain.accept([Told("view", "2026-03-10T12:00:00.000Z", product_id="p1")], Counter())
    sealed = world.parts.drain.journal.seal()
    sealed.write_bytes(sealed.read_bytes() + b'[[["view","2026')

    assert seen(world) == [("view", "p1")]


def test_a_process_that_ended_before_storing_loses_nothing(world):
    world.parts.intake.events_accept([VIEW], Visitor(session="s1"))
    world.parts.drain.journal.seal()
    again = world.assembled()

    left = again.drain.drain()

    assert left == 0
    assert seen(world) == [("view", "p1")]


def test_what_was_stored_before_a_crash_counts_once(world):
    """As after a kill between the store's answer and the removal of the file."""
    world.parts.intake.events_accept([VIEW, {"type": "click"}], Visitor(session="s1"))
    sealed = world.parts.drain.journal.seal()
    content = sealed.read_bytes()
    world.parts.drain.drain()
    world.parts.keeper.rollups_merge(all=True)
    sealed.write_bytes(content)

    world.assembled().drain.drain()
    world.parts.keeper.rollups_merge(all=True)

    assert sorted(seen(world)) == [("click", None), ("view", "p1")]
    assert counts(world) == {"click": 1, "view": 1}


def counts(world):
    from logs.services import Days

    return world.parts.stats.timeseries(Days(NOW.date(), NOW.date()))[0].counts


def test_what_the_store_refuses_is_set_aside_and_the_rest_goes_on(world):
    world.parts.drain.journal.append(b"not json")
    world.parts.drain.journal.seal()
    world.parts.intake.events_accept([VIEW], Visitor())

    for _ in range(6):
        world.parts.drain.drain()

    assert seen(world) == [("view", "p1")]
    assert len(world.parts.drain.journal.bad()) == 1


def test_a_thread_stores_soon_after(world):
    parts = world.assembled(thread=True)

    parts.intake.events_accept([VIEW], Visitor())
    settled = parts.drain.settle(5)

    assert settled
    assert seen(world) == [("view", "p1")]
