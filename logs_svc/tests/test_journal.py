import os
import signal
import subprocess
import sys
from collections import Counter

import pytest
from conftest import NOW

from chassis.ids import new_id
from logs.domain import IncomingEvent
from logs.journal import Journal, JournalFull
from logs.services import Visitor

VIEW = {"type": "view", "product_id": "p1", "id": "e1"}


def seen(world):
    return [(event.type, event.product_id) for event in world.all_events()]


def test_appended_lines_are_read_back_after_sealing(tmp_path):
    journal = Journal(tmp_path, new_id)

    assert journal.seal() is None
    journal.append(b"one")
    journal.append(b"two")
    sealed = journal.seal()
    journal.append(b"three")

    assert sealed.read_bytes() == b"one\ntwo\n"
    assert journal.sealed_files() == [sealed]
    assert journal.pending_bytes() == 14
    journal.remove(sealed, 8)
    assert journal.pending_bytes() == 6


def test_a_full_journal_refuses_lines(tmp_path):
    journal = Journal(tmp_path, new_id, max_bytes=10)
    journal.append(b"12345")

    with pytest.raises(JournalFull):
        journal.append(b"123456")


def test_the_file_of_an_ended_process_is_sealed_and_of_a_running_one_is_not(tmp_path):
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

        while_alive = mine.seal_orphans()
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        after = mine.seal_orphans()

    assert (while_alive, after) == (0, 1)
    assert [path.read_bytes() for path in mine.sealed_files()] == [b"one\n"]


def test_a_torn_line_is_ignored(world):
    world.parts.flusher.accept(
        [IncomingEvent("view", "2026-03-10T12:00:00.000Z", product_id="p1")], Counter()
    )
    sealed = world.parts.flusher.journal.seal()
    sealed.write_bytes(sealed.read_bytes() + b'[[["view","2026')

    assert seen(world) == [("view", "p1")]


def test_events_of_an_ended_process_are_stored(world):
    world.parts.intake.events_accept([VIEW], Visitor(session="s1"))
    world.parts.flusher.journal.seal()
    again = world.new_process()

    left = again.flusher.flush()

    assert left == 0
    assert seen(world) == [("view", "p1")]


def test_events_stored_before_a_crash_count_once(world):
    """Simulate a kill between the store's answer and the removal of the file."""
    world.parts.intake.events_accept([VIEW, {"type": "click"}], Visitor(session="s1"))
    sealed = world.parts.flusher.journal.seal()
    content = sealed.read_bytes()
    world.parts.flusher.flush()
    world.parts.maintenance.rollups_merge(all=True)
    sealed.write_bytes(content)

    world.new_process().flusher.flush()
    world.parts.maintenance.rollups_merge(all=True)

    assert sorted(seen(world)) == [("click", None), ("view", "p1")]
    assert counts(world) == {"click": 1, "view": 1}


def counts(world):
    from logs.services import Days

    return world.parts.stats.timeseries(Days(NOW.date(), NOW.date()))[0].counts


def test_a_file_that_the_store_refuses_is_quarantined(world):
    world.parts.flusher.journal.append(b"not json")
    world.parts.flusher.journal.seal()
    world.parts.intake.events_accept([VIEW], Visitor())

    for _ in range(6):
        world.parts.flusher.flush()

    assert seen(world) == [("view", "p1")]
    assert len(world.parts.flusher.journal.quarantined()) == 1


def test_the_background_thread_stores_events(world):
    parts = world.new_process(thread=True)

    parts.intake.events_accept([VIEW], Visitor())
    settled = parts.flusher.wait_until_stored(5)

    assert settled
    assert seen(world) == [("view", "p1")]
