"""The memory budget of a training: a process limit, each test in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reco.domain import NEIGHBOURS, Amount
from reco.engine import ease
from reco.memory_budget import MB, SHARE, MemoryBudget, TooLarge, estimate_bytes, free_bytes

BEGIN = """
import resource, warnings
warnings.simplefilter("ignore")
import numpy as np
from scipy import sparse
from reco.engine import ease
from reco.memory_budget import MB, MemoryLimit, TooLarge, estimate_bytes
from reco.services.history_loader import _Interner
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
        "ease.closed_form(sparse.identity(4500, format='csr'), 400.0)",
    ],
)
def test_exceeding_the_memory_limit_raises_and_the_process_survives(greedy):
    said = run(f"""
before = resource.getrlimit(resource.RLIMIT_DATA)
try:
    with MemoryLimit(100, first=ease.warm_up).limited():
        {greedy}
except TooLarge as error:
    print(error)
print(resource.getrlimit(resource.RLIMIT_DATA) == before, len(bytearray(200 * MB)) // MB)
""")

    assert said == ["it needs more than the 100 MB that TRAINING_MEMORY_MB allows", "True 200"]


@pytest.mark.parametrize(("products", "events", "visit"), [(2000, 60_000, 5), (8000, 20_000, 2)])
def test_the_memory_estimate_is_close_to_the_peak(products, events, visit):
    need, peak = map(
        int,
        run(f"""
from datetime import datetime, timedelta, timezone
from reco import model_codec
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
ease.warm_up()
before, interner = status("VmRSS"), _Interner()
events = [interner.intern(one) for one in viewed({events})]
kept = model_codec.pack(train(events, now=NOW, dense=False).lists)
print(estimate_bytes(interner.amount(events)))
print(status("VmHWM") - before)
""")[-2:],
    )

    assert 0.5 < peak / need < 1.25, (need, peak)


def test_the_second_model_needs_one_matrix_and_its_kept_entries():
    need, peak = map(
        int,
        run("""
from reco.memory_budget import estimate_dense_bytes

def status(name):
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))) * 1024

ease.warm_up()
x = sparse.random(9000, 3000, density=0.002, format="csr", dtype=np.float32, random_state=1)
forward = sparse.random(3000, 3000, density=0.03, format="csr", dtype=np.float32, random_state=2)
before = status("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # the peak is counted from here
ease.blend(forward, ease.closed_form(x, 400.0), np.ones(3000), 0.3, 200)
print(estimate_dense_bytes(3000))
print(status("VmHWM") - before)
""")[-2:],
    )

    assert 0.6 < peak / need < 1.2, (need, peak)


def test_a_training_over_budget_is_refused_before_it_starts():
    budget = MemoryBudget(100 * MB)

    budget.check(Amount(events=100_000, products=1000, people=30_000, neighbours=50_000))
    with pytest.raises(
        TooLarge, match="1,000,000 events of 300,000 accounts and visits with 20,000 products"
    ):
        budget.check(Amount(events=1_000_000, products=20_000, people=300_000, neighbours=900_000))


def test_products_with_few_neighbours_need_less():
    few, many = (estimate_bytes(Amount(20_000, 10_000, 9000, neighbours)) for neighbours in (40_000, 500_000))

    assert (few // MB, many // MB) == (39, 215)


def test_the_second_model_is_tried_if_it_fits_the_budget():
    some = Amount(events=100_000, products=2000, people=30_000, neighbours=100_000)

    rooms = [MemoryBudget(estimate_bytes(some) + extra * MB).fits_dense(some) for extra in (50, 60)]

    assert rooms == [False, True]


def test_the_swarm_worker_has_memory_for_the_largest_second_model():
    stack = yaml.safe_load((Path(__file__).resolve().parents[2] / "swarm/stack/shop.yml").read_text())
    limit = stack["services"]["reco-worker"]["deploy"]["resources"]["limits"]["memory"]
    assert limit == "1G"
    own = 150 * MB  # resident of the shop's Celery worker after a training: 148,628 kB
    budget = MemoryBudget(int(SHARE * (1024 * MB - own)))

    products = ease.MAX_PRODUCTS
    assert budget.fits_dense(Amount(300_000, products, 100_000, NEIGHBOURS * products))


def test_without_a_limit_a_training_may_use_the_free_memory():
    assert MB < free_bytes() < 1 << 50
