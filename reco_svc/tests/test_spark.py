"""Spark in local mode beside the single machine, on the same events: the same lists."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from reco.domain import Interaction
from reco.engine import matrices, trainer
from reco.engine.interactions import MAX_HISTORY, Hyperparameters
from reco.model_codec import unpack
from tests.world import NOW

pytestmark = pytest.mark.spark

PLAIN = trainer.HyperparameterSet(
    Hyperparameters(kinds=matrices.SIMILAR),
    Hyperparameters(kinds=matrices.TOGETHER),
    Hyperparameters(kinds=matrices.PERSONAL),
)
RICH = trainer.HyperparameterSet(
    Hyperparameters(
        kinds=(("session", 1.0), ("user", 0.25)), half_life=20.0, prior=0.4, prior_half_life=10.0
    ),
    Hyperparameters(kinds=matrices.TOGETHER, shrink=5.0, asymmetry=0.7, damping=0.5, prior=-0.25),
    Hyperparameters(
        kinds=(("user", 1.0), ("session", 0.25)),
        strength=0.25,
        keep=20,
        half_life=30.0,
        history_half_life=3.0,
    ),
)


@pytest.fixture(scope="module")
def spark():
    from reco.engine import spark

    quiet = {"spark__ui__enabled": "false", "spark__sql__shuffle__partitions": "4"}
    session = spark.session("local[2]", **quiet, spark__driver__bindAddress="127.0.0.1")
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def shop(people=400, products=150, seed=7):
    """Generate visits of shoppers with tastes: some signed in, some bought, some anonymous."""
    draw = np.random.default_rng(seed)
    events = []
    for visit in range(3 * people):
        person, taste = int(draw.integers(people)), int(draw.integers(10))
        at = NOW - timedelta(seconds=float(draw.uniform(0, 90 * 86400)))
        user = f"u{person}" if person % 2 else None
        session = f"s{visit}" if person % 5 or not user else None
        for step in range(int(draw.integers(1, 9))):
            product = f"p{(taste * 15 + int(15 * draw.random() ** 2)) % products:03d}"
            type_ = str(draw.choice(["view", "click", "add_to_cart", "purchase"], p=[0.6, 0.1, 0.15, 0.15]))
            events.append(Interaction(type_, product, at + timedelta(seconds=20 * step), user, session))
    return events


def rows(events):
    names = ("type", "product_id", "at", "user", "session")
    values = ((one.type, one.product_id, one.at.isoformat(), one.user, one.session) for one in events)
    return [dict(zip(names, value, strict=True)) for value in values]


def by_spark(spark, events, hyperparameters, **options):
    from reco.engine import spark as engine

    frame = spark.createDataFrame(rows(events), engine.NEEDED).coalesce(1)
    return engine.tables(frame, hyperparameters, NOW, **options).collected()


def by_one_machine(events, hyperparameters):
    return trainer.lists_of(events, hyperparameters, NOW)


def assert_same(found, wanted):
    """Assert the same products in order; scores to 1e-6, tastes (rounded to four places) to 1e-4."""
    for name in ("similar", "together", "personal"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert {key: [p for p, _ in near] for key, near in ours.items()} == {
            key: [p for p, _ in near] for key, near in theirs.items()
        }, name
        for key, near in theirs.items():
            assert [s for _, s in ours[key]] == pytest.approx([s for _, s in near], abs=1.000001e-6), name
    assert [p for p, _ in found.trending] == [p for p, _ in wanted.trending]
    assert [s for _, s in found.trending] == pytest.approx([s for _, s in wanted.trending], abs=1.000001e-6)
    assert (found.histories, found.owned) == (wanted.histories, wanted.owned)
    assert found.tastes.keys() == wanted.tastes.keys()
    for key, tastes in wanted.tastes.items():
        assert found.tastes[key] == pytest.approx(tastes, abs=1.000001e-4)


@pytest.mark.parametrize("hyperparameters", [PLAIN, RICH], ids=["plain", "rich"])
def test_spark_ranks_neighbours_like_the_single_machine(spark, hyperparameters):
    events = shop()

    found, wanted = by_spark(spark, events, hyperparameters), by_one_machine(events, hyperparameters)

    assert (len(wanted.similar), len(wanted.together) > 100, len(wanted.histories) > 1000) == (
        150,
        True,
        True,
    )
    assert_same(found, wanted)


def test_spark_filters_bots_long_histories_and_duplicates_alike(spark):
    events = shop(people=60, products=60)
    events += [Interaction("view", f"b{n}", NOW, None, "bot") for n in range(MAX_HISTORY["session"] + 1)]
    events += events[:50]
    events += [
        Interaction("view", "p001", NOW + timedelta(days=3), "future", "s-future"),
        Interaction("view", "p002", NOW, None, None),
        Interaction("impression", "p003", NOW, "u1", "s1"),
    ]

    assert_same(by_spark(spark, events, RICH), by_one_machine(events, RICH))


@pytest.mark.parametrize(
    "events",
    [[], [Interaction("view", "tent", NOW, None, "s")], [Interaction("view", "tent", NOW, "u", "s")] * 9],
    ids=["none", "one product", "all equal"],
)
def test_spark_handles_empty_and_uniform_shops_alike(spark, events):
    assert_same(by_spark(spark, events, RICH), by_one_machine(events, RICH))


def test_the_dense_second_model_is_refused(spark):
    hyperparameters = replace(PLAIN, similar=replace(PLAIN.similar, second=0.5))

    with pytest.raises(ValueError, match="dense"):
        by_spark(spark, shop(people=5), hyperparameters)


def test_the_command_writes_tables_and_a_model_file(spark, tmp_path, capsys):
    events = shop(people=40, products=30)
    export, parameters = tmp_path / "events.jsonl", tmp_path / "parameters.json"
    export.write_text("".join(json.dumps({"id": "e", "data": {}, **row}) + "\n" for row in rows(events)))
    parameters.write_text(json.dumps(RICH.to_parameters()))

    call_command(
        "train_spark", events=str(export), out=str(tmp_path / "out"), file=str(tmp_path / "model"),
        parameters=str(parameters), now=NOW.isoformat(), master="local[2]",
    )  # fmt: skip

    [file] = (tmp_path / "model").iterdir()
    assert capsys.readouterr().out.strip() == str(file)
    assert_same(unpack(file.read_bytes()), by_one_machine(events, RICH))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "histories", "owned", "personal", "similar", "together", "trending",
    ]  # fmt: skip


def test_the_command_reports_unreadable_input(tmp_path):
    with pytest.raises(CommandError, match="--parameters"):
        call_command("train_spark", events="x", out="y", parameters=str(tmp_path / "nothing.json"))
