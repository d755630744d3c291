"""Order, readiness, deaths and the end."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from local import ports
from local.process_spec import ProcessKind
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


def test_a_process_starts_when_its_dependencies_accept_connections(harness):
    (port,) = ports.free(1)
    slow = "time.sleep(0.4); " + LISTEN.format(port=port, name="store")
    store = harness.spec("store", slow, port=port, kind=ProcessKind.STORE)
    service = harness.spec("service", "note('service runs'); time.sleep(60)", depends_on=("store",))

    async def scene(supervisor):
        await until(lambda: len(harness.noted()) == 2)

    harness.run([service, store], scene)

    assert harness.noted() == ["store listens", "service runs"]


def test_a_one_shot_process_is_awaited(harness):
    one_shot = harness.spec("prepare", "time.sleep(0.3); note('prepared')", one_shot=True)
    service = harness.spec("service", "note('service runs'); time.sleep(60)", depends_on=("prepare",))

    async def scene(supervisor):
        await until(lambda: len(harness.noted()) == 2)

    harness.run([service, one_shot], scene)

    assert harness.noted() == ["prepared", "service runs"]


def test_a_failed_step_stops_the_start_with_its_last_line(harness):
    one_shot = harness.spec("prepare", "print('no such database'); sys.exit(3)", one_shot=True)

    with pytest.raises(StartFailed) as failure:
        harness.run([one_shot], nothing)

    assert str(failure.value) == (
        "prepare cannot be started (exit code 3). It said: no such database. The log has the rest."
    )


def test_a_store_that_is_never_ready_stops_the_start_with_its_last_line(harness):
    (port,) = ports.free(1)
    broken = harness.spec(
        "store", "print('my files are odd'); sys.exit(1)", port=port, kind=ProcessKind.STORE
    )

    with pytest.raises(StartFailed) as failure:
        harness.run([broken], nothing)

    assert str(failure.value) == (
        "store cannot be started (exit code 1). It said: my files are odd. "
        "If its files are damaged, put back a copy of the data folder, or choose another DATA."
    )
    assert harness.terminal.getvalue().count("store ended with exit code 1") == 3


def test_a_missing_program_is_reported(harness):
    spec = harness.spec("store", "")
    missing = type(spec)(name="store", command=("/no/such/program",), cwd=spec.cwd, env={})

    with pytest.raises(StartFailed, match=r"store cannot be started: .*No such file"):
        harness.run([missing], nothing)


def test_a_killed_process_is_reported_and_restarted(harness):
    spec = harness.spec("service", "note('runs'); time.sleep(60)")

    async def scene(supervisor):
        await until(lambda: harness.noted() == ["runs"])
        os.kill(harness.pids["service"], signal.SIGKILL)
        await until(lambda: harness.noted() == ["runs", "runs"])

    harness.run([spec], scene)

    assert "service ended with exit code -9 (SIGKILL)" in harness.terminal.getvalue()


def test_children_of_a_killed_process_release_its_port(harness):
    (port,) = ports.free(1)
    child = LISTEN.format(port=port, name="child")
    code = (
        f"p = subprocess.Popen([sys.executable, '-S', '-c', {harness.spec('x', child).command[3]!r}]);"
        "note('parent of %d' % p.pid); time.sleep(60)"
    )

    async def scene(supervisor):
        await until(lambda: "child listens" in harness.noted())
        os.kill(harness.pids["service"], signal.SIGKILL)
        await until(lambda: harness.noted().count("child listens") == 2)

    harness.run([harness.spec("service", code, port=port)], scene)

    assert not [
        note for note in harness.noted() if note.startswith("parent of") and alive(int(note.split()[-1]))
    ]


def test_a_stopped_process_stays_stopped_until_released(harness):
    spec = harness.spec("service", "note('runs'); time.sleep(60)")

    async def scene(supervisor):
        await until(lambda: harness.noted() == ["runs"])
        (harness.stopped / "service").touch()
        os.kill(harness.pids["service"], signal.SIGKILL)
        await asyncio.sleep(1.0)
        assert harness.pids == {}
        (harness.stopped / "service").unlink()
        await until(lambda: harness.noted() == ["runs", "runs"])

    harness.run([spec], scene)


def test_services_end_before_their_stores_and_nothing_takes_five_seconds(harness):
    polite = "signal.signal(15, lambda *_: (note('{0} ends'), sys.exit(0))); note('{0} runs'); time.sleep(60)"
    stubborn = "signal.signal(15, signal.SIG_IGN); note('stubborn runs'); time.sleep(60)"
    specs = [
        harness.spec("store", polite.format("store"), kind=ProcessKind.STORE),
        harness.spec("service", polite.format("service")),
        harness.spec("worker", polite.format("worker"), kind=ProcessKind.WORKER),
        harness.spec("stubborn", stubborn),
    ]
    pids = {}

    async def scene(supervisor):
        await until(lambda: len(harness.noted()) == 4)
        pids.update(harness.pids)
        harness.notes.write_text("")
        scene.began = time.monotonic()

    harness.run(specs, scene)

    assert time.monotonic() - scene.began < 5
    assert sorted(harness.noted()[:2]) == ["service ends", "worker ends"]
    assert harness.noted()[2:] == ["store ends"]
    assert [name for name, pid in pids.items() if alive(pid)] == []


def test_the_log_has_every_line_with_its_process(harness):
    spec = harness.spec("service", "print('hello'); sys.stderr.write('trouble\\n'); time.sleep(60)")

    async def scene(supervisor):
        await until(lambda: "trouble" in harness.terminal.getvalue())

    harness.run([spec], scene)

    lines = (harness.folder / "log" / "hivemart.log").read_text().splitlines()
    assert {line.split("|")[0].strip(): line.split("|")[1] for line in lines} == {"service": " trouble"} or [
        line for line in lines if line.startswith("service") and "hello" in line
    ]


RUNNER = """
import asyncio, pathlib, sys
sys.path.insert(0, {root!r})
from local.output import Log
from local.process_spec import ProcessSpec
from local.screens import VerboseScreen
from local.supervisor import Supervisor
folder = pathlib.Path({folder!r})
code = "import time; time.sleep(60)"
spec = ProcessSpec(name="service", command=(sys.executable, "-S", "-c", code), cwd=folder, env=dict())
async def main():
    show = lambda pids: print(pids, flush=True)
    log = Log(folder / "log", VerboseScreen(sys.stdout))
    supervisor = Supervisor([spec], log, stopped=folder, on_change=show)
    await supervisor.start()
    print("started", flush=True)
    await supervisor.until(asyncio.get_running_loop().create_future())
asyncio.run(main())
"""


def test_a_killed_supervisor_leaves_no_process(tmp_path, harness):
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
