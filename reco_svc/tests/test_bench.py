"""The benchmark's stages on a small shop, each as a process of its own, and the shoppers that it makes up."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("implicit", reason="the benchmark comes with requirements/science.txt")

from reco.evaluation import bench
from reco.evaluation.synthetic import shoppers

SMALL = (20_000, 300, 1000)


def test_made_up_shoppers_are_the_same_every_time_and_of_the_size_that_was_asked_for():
    one, other = shoppers(*SMALL), shoppers(*SMALL)

    assert (len(one), one.products) == (20_000, 300)
    assert np.array_equal(one.product, other.product)
    assert np.array_equal(one.owners["user"], other.owners["user"])
    assert len(np.unique(one.owners["user"])) > 500


def test_a_fit_of_ours_takes_less_of_everything_than_stock_surprise_even_for_a_small_shop():
    ours, stock = (bench._run(stage, SMALL) for stage in ("ours", "stock"))

    assert ours["us_per_list"] * 100 < stock["us_per_list"]
    assert 0 < ours["cpu_s"] < stock["cpu_s"] + 1
    assert 0 < ours["peak_mb"] < 200


def test_lists_are_served_one_at_a_time_within_the_target():
    served = bench._run("serving", SMALL)

    assert 0 < served["p95_ms"] < 5
    assert served["lists_per_cpu_s"] > 500


def test_a_stage_that_cannot_run_is_said_and_ends_the_benchmark_with_1(monkeypatch, capsys):
    monkeypatch.setattr(bench, "_run", lambda stage, size: None)

    assert bench.bench() == 1
