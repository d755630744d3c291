"""Order, readiness, deaths and the end."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from local import ports
from local.part import Kind
from local.supervisor import StartFailed

LISTEN = (
    "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
    "s.bind(('127.0.0.1', {port})); s.listen(); note('{name} listens'); time.sleep(60)"
)


async def nothing(supervisor):
    """Return a scene in which nothing happens."""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


async def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


def test_a_part_starts_when_those_before_it_take_connections(bench):
    (port,) = ports.free(1)
    slow = "time.sleep(0.4); " + LISTEN.format(port=port, name="store")
    store = bench.part("store", slow, port=port, kind=Kind.STORE)
    service = bench.part("service", "note('service runs'); time.sleep(60)", after=("store",))

    async def scene(supervisor):
        await until(lambda: len(bench.noted()) == 2)

    bench.run([service, store], scene)

    assert bench.noted() == ["store listens", "service runs"]


def test_what_runs_once_is_waited_for(bench):
    once = bench.part("prepare", "time.sleep(0.3); note('prepared')", once=True)
    service = bench.part("service", "note('service runs'); time.sleep(60)", after=("prepare",))

    async def scene(supervisor):
        await until(lambda: len(bench.noted()) == 2)

    bench.run([service, once], scene)

    assert bench.noted() == ["prepared", "service runs"]


def test_a_step_that_fails_stops_the_start_and_tells_its_last_words(bench):
    once = bench.part("prepare", "print('no such database'); sys.exit(3)", once=True)

    with pytest.raises(StartFailed) as failure:
        bench.run([once], nothing)

    assert str(failure.value) == (
        "prepare cannot be started (exit code 3). It said: no such database. The log has the rest."
    )


def test_a_store_that_never_gets_ready_stops_the_start_and_tells_its_last_words(bench):
    (port,) = ports.free(1)
    broken = bench.part("store", "print('my files are odd'); sys.exit(1)", port=port, kind=Kind.STORE)

    with pytest.raises(StartFailed) as failure:
        bench.run([broken], nothing)

    assert str(failure.value) == (
        "store cannot be started (exit code 1). It said: my files are odd. "
        "If its files are damaged, put back a copy of the data folder, or choose another DATA."
    )
    assert bench.terminal.getvalue().count("store ended with exit code 1") == 3


def test_a_part_without_its_program_is_named(bench):
    part = bench.part("store", "")
    missing = type(part)(name="store", command=("/no/such/program",), cwd=part.cwd, env={})

    with pytest.raises(StartFailed, match=r"store cannot be started: .*No such file"):
        bench.run([missing], nothing)


def test_a_killed_part_is_named_with_its_exit_code_and_started_again(bench):
    part = bench.part("service", "note('runs'); time.sleep(60)")

    async def scene(supervisor):
        await until(lambda: bench.noted() == ["runs"])
        os.kill(bench.pids["service"], signal.SIGKILL)
        await until(lambda: bench.noted() == ["runs", "runs"])

    bench.run([part], scene)

    assert "service ended with exit code -9 (SIGKILL)" in bench.terminal.getvalue()


def test_what_a_killed_part_had_started_does_not_keep_its_port(bench):
    (port,) = ports.free(1)
    child = LISTEN.format(port=port, name="child")
    code = (
        f"p = subprocess.Popen([sys.executable, '-S', '-c', {bench.part('x', child).command[3]!r}]);"
        "note('parent of %d' % p.pid); time.sleep(60)"
    )

    async def scene(supervisor):
        await until(lambda: "child listens" in bench.noted())
        os.kill(bench.pids["service"], signal.SIGKILL)
        await until(lambda: bench.noted().count("child listens") == 2)

    bench.run([bench.part("service", code, port=port)], scene)

    assert not [
        note for note in bench.noted() if note.startswith("parent of") and alive(int(note.split()[-1]))
    ]


def test_a_part_that_is_held_stays_stopped_until_it_is_let_go(bench):
    part = bench.part("service", "note('runs'); time.sleep(60)")

    async def scene(supervisor):
        await until(lambda: bench.noted() == ["runs"])
        (bench.stopped / "service").touch()
        os.kill(bench.pids["service"], signal.SIGKILL)
        await asyncio.sleep(1.0)
        assert bench.pids == {}
        (bench.stopped / "service").unlink()
        await until(lambda: bench.noted() == ["runs", "runs"])

    bench.run([part], scene)


def test_services_end_before_their_stores_and_nothing_takes_five_seconds(bench):
    polite = "signal.signal(15, lambda *_: (note('{0} ends'), sys.exit(0))); note('{0} runs'); time.sleep(60)"
    stubborn = "signal.signal(15, signal.SIG_IGN); note('stubborn runs'); time.sleep(60)"
    parts = [
        bench.part("store", polite.format("store"), kind=Kind.STORE),
        bench.part("service", polite.format("service")),
        bench.part("worker", polite.format("worker"), kind=Kind.WORKER),
        bench.part("stubborn", stubborn),
    ]
    pids = {}

    async def scene(supervisor):
        await until(lambda: len(bench.noted()) == 4)
        pids.update(bench.pids)
        bench.notes.write_text("")
        scene.began = time.monotonic()

    bench.run(parts, scene)

    assert time.monotonic() - scene.began < 5
    assert sorted(bench.noted()[:2]) == ["service ends", "worker ends"]
    assert bench.noted()[2:] == ["store ends"]
    assert [name for name, pid in pids.items() if alive(pid)] == []


def test_one_log_has_every_line_with_its_parts_name(bench):
    part = bench.part("service", "print('hello'); sys.stderr.write('trouble\\n'); time.sleep(60)")

    async def scene(supervisor):
        await until(lambda: "trouble" in bench.terminal.getvalue())

    bench.run([part], scene)

    lines = (bench.folder / "log" / "hivemart.log").read_text().splitlines()
    assert {line.split("|")[0].strip(): line.split("|")[1] for line in lines} == {"service": " trouble"} or [
        line for line in lines if line.startswith("service") and "hello" in line
    ]


RUNNER = """
import asyncio, pathlib, sys
sys.path.insert(0, {root!r})
from local.output import Log
from local.part import Part
from local.screens import Verbose
from local.supervisor import Supervisor
folder = pathlib.Path({folder!r})
code = "import time; time.sleep(60)"
part = Part(name="service", command=(sys.executable, "-S", "-c", code), cwd=folder, env=dict())
async def main():
    tell = lambda pids: print(pids, flush=True)
    supervisor = Supervisor([part], Log(folder / "log", Verbose(sys.stdout)), stopped=folder, changed=tell)
    await supervisor.start()
    print("started", flush=True)
    await supervisor.until(asyncio.get_running_loop().create_future())
asyncio.run(main())
"""


def test_not_even_a_killed_supervisor_leaves_its_parts_behind(tmp_path, bench):
    from conftest import ROOT

    runner = RUNNER.format(root=str(ROOT), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", runner], stdout=subprocess.PIPE, text=True) as process:
        seen = []
        while "started\n" not in seen:
            line = process.stdout.readline()
            assert line, f"it ended: {seen}"
            seen.append(line)
        pid = int(next(line for line in seen if "service" in line).split(":")[1].strip(" }\n"))
        process.kill()
        process.wait()
        for _ in range(50):
            if not alive(pid):
                break
            time.sleep(0.05)

    assert not alive(pid)
