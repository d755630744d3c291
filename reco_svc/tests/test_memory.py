"""How much memory a training may take: a limit of the process, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reco.domain import NEIGHBOURS, Amount
from reco.engine import second
from reco.memory import MB, SHARE, Room, TooLarge, free, needed

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
        "second.closed_form(sparse.identity(4500, format='csr'), 400.0)",
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


@pytest.mark.parametrize(("products", "events", "visit"), [(2000, 60_000, 5), (8000, 20_000, 2)])
def test_what_a_training_needs_is_known_before(products, events, visit):
    need, peak = map(
        int,
        run(f"""
from datetime import datetime, timedelta, timezone
from reco import packing
from reco.domain import Interaction
from reco.engine.trainer import train

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
draw = np.random.default_rng(1)

def status(name):
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))) * 1024

def viewed(count):
    for number, at in enumerate(draw.random(count)):
        product = f"0192f000-aaaa-bbbb-cccc-{{int({products} * at):012d}}"
        moment, visit = NOW - timedelta(seconds=number), f"0192f000-dddd-bbbb-cccc-{{number // {visit}:012d}}"
        yield Interaction("purchase" if number % 7 == 0 else "view", product, moment, None, visit)

train(list(viewed(100)), now=NOW)
second.warm()
before, names = status("VmRSS"), _Names()
events = [names.shared(one) for one in viewed({events})]
kept = packing.pack(train(events, now=NOW, dense=False).lists)
print(needed(names.counted(events)))
print(status("VmHWM") - before)
""")[-2:],
    )

    assert 0.5 < peak / need < 1.25, (need, peak)


def test_the_second_model_takes_one_matrix_and_what_is_kept_of_it():
    need, peak = map(
        int,
        run("""
from reco.memory import dense

def status(name):
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))) * 1024

second.warm()
x = sparse.random(9000, 3000, density=0.002, format="csr", dtype=np.float32, random_state=1)
forward = sparse.random(3000, 3000, density=0.03, format="csr", dtype=np.float32, random_state=2)
before = status("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # the peak is counted from here
second.blended(forward, second.closed_form(x, 400.0), np.ones(3000), 0.3, 200)
print(dense(3000))
print(status("VmHWM") - before)
""")[-2:],
    )

    assert 0.6 < peak / need < 1.2, (need, peak)


def test_a_training_that_is_sure_to_need_too_much_is_refused_before_it_tries():
    room = Room(100 * MB)

    room.check(Amount(events=100_000, products=1000, people=30_000, neighbours=50_000))
    with pytest.raises(
        TooLarge, match="1,000,000 events of 300,000 accounts and visits with 20,000 products"
    ):
        room.check(Amount(events=1_000_000, products=20_000, people=300_000, neighbours=900_000))


def test_products_with_few_neighbours_need_less():
    few, many = (needed(Amount(20_000, 10_000, 9000, neighbours)) for neighbours in (40_000, 500_000))

    assert (few // MB, many // MB) == (39, 215)


def test_the_second_model_is_tried_where_there_is_room_for_it():
    some = Amount(events=100_000, products=2000, people=30_000, neighbours=100_000)

    rooms = [Room(needed(some) + extra * MB).for_dense(some) for extra in (50, 60)]

    assert rooms == [False, True]


def test_the_worker_of_the_swarm_has_room_for_the_second_model_wherever_that_is_tried():
    stack = yaml.safe_load((Path(__file__).resolve().parents[2] / "swarm/stack/shop.yml").read_text())
    limit = stack["services"]["reco-worker"]["deploy"]["resources"]["limits"]["memory"]
    assert limit == "1G"
    own = 150 * MB  # resident of the shop's Celery worker after a training: 148,628 kB
    room = Room(int(SHARE * (1024 * MB - own)))

    products = second.LIMIT
    assert room.for_dense(Amount(300_000, products, 100_000, NEIGHBOURS * products))


def test_where_nothing_is_set_a_training_may_take_what_is_free():
    assert MB < free() < 1 << 50
