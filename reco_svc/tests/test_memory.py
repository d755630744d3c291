"""How much memory a training may take: a limit of the process, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reco.memory import MB, Room, TooLarge, free, needed

BEGIN = """
import resource, warnings
warnings.simplefilter("ignore")
import numpy as np
from scipy import sparse
from reco.engine import second
from reco.memory import MB, Memory, TooLarge, needed
from reco.services.reading import _Names
"""


def run(code):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", BEGIN + code],
        cwd=Path(__file__).resolve().parent.parent, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "greedy",
    [
        "bytearray(200 * MB)",
        "[str(number) for number in range(10_000_000)]",
        "np.ones(30_000_000)",
        "sparse.csr_matrix(np.ones((20, 4000))).T @ sparse.csr_matrix(np.ones((20, 4000)))",
        "second.closed_form(sparse.identity(2500, format='csr'), 400.0)",
    ],
)
def test_what_asks_for_more_than_the_cap_is_told_so_and_the_process_lives_on(greedy):
    said = run(f"""
before = resource.getrlimit(resource.RLIMIT_DATA)
try:
    with Memory(100, first=second.warm).capped():
        {greedy}
except TooLarge as error:
    print(error)
print(resource.getrlimit(resource.RLIMIT_DATA) == before, len(bytearray(200 * MB)) // MB)
""")

    assert said == ["it needs more than the 100 MB that TRAINING_MEMORY_MB allows", "True 200"]


def test_what_a_training_needs_is_known_before():
    need, peak = map(
        int,
        run("""
from datetime import datetime, timedelta, timezone
from reco.domain import Interaction
from reco.engine.trainer import train

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
draw = np.random.default_rng(1)

def status(name):
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))) * 1024

def viewed(count):
    for number, at in enumerate(draw.random(count)):
        product = f"0192f000-aaaa-bbbb-cccc-{int(2000 * at * at):012d}"
        moment, visit = NOW - timedelta(seconds=number), f"0192f000-dddd-bbbb-cccc-{number // 5:012d}"
        yield Interaction("view", product, moment, None, visit)

train(list(viewed(100)), now=NOW)
second.warm()
before, names = status("VmRSS"), _Names()
events = [names.shared(one) for one in viewed(60_000)]
train(events, now=NOW, dense=False)
count, products, people = names.counted(events)
print(needed(events=count, products=products, people=people))
print(status("VmHWM") - before)
""")[-2:],
    )

    assert 0.5 < peak / need < 1.25, (need, peak)


def test_a_training_that_is_sure_to_need_too_much_is_refused_before_it_tries():
    room = Room(100 * MB)

    room.check(events=100_000, products=1000, people=30_000)
    with pytest.raises(TooLarge, match="1,000,000 events of 300,000 accounts and visits"):
        room.check(events=1_000_000, products=20_000, people=300_000)


def test_the_second_model_is_tried_where_there_is_room_for_it():
    some = {"events": 100_000, "products": 2000, "people": 30_000}

    rooms = [Room(needed(**some) + extra * MB).for_dense(**some) for extra in (100, 150)]

    assert rooms == [False, True]


def test_where_nothing_is_set_a_training_may_take_what_is_free():
    assert MB < free() < 1 << 50
