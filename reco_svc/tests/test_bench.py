"""The stages of the benchmark on a small shop, each in its own process, and the synthetic shoppers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("implicit", reason="the benchmark comes with requirements/science.txt")

from reco.evaluation import bench
from reco.evaluation.synthetic import shoppers

SMALL = (20_000, 300, 1000)


def test_synthetic_shoppers_are_deterministic_and_of_the_given_size():
    one, other = shoppers(*SMALL), shoppers(*SMALL)

    assert (len(one), one.products) == (20_000, 300)
    assert np.array_equal(one.product, other.product)
    assert np.array_equal(one.owners["user"], other.owners["user"])
    assert len(np.unique(one.owners["user"])) > 500


def test_our_fit_costs_less_than_stock_surprise():
    ours, stock = (bench._run(stage, SMALL) for stage in ("ours", "stock"))

    # Some microseconds on a busy machine read several times too many; `make bench-reco` holds the figure.
    assert ours["us_per_list"] * 20 < stock["us_per_list"]
    assert 0 < ours["cpu_s"] < stock["cpu_s"] + 1
    assert 0 < ours["peak_mb"] < 200


def test_lists_are_served_one_at_a_time_within_the_target():
    served = bench._run("serving", SMALL)

    assert 0 < served["p95_ms"] < 5
    assert served["lists_per_cpu_s"] > 500


def test_a_failing_stage_ends_the_benchmark_with_1(monkeypatch, capsys):
    monkeypatch.setattr(bench, "_run", lambda stage, size: None)

    assert bench.bench() == 1
