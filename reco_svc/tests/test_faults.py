"""Bad input and faults: the serving model stays, and the reason is shown.

Elsewhere: an interrupted training (test_history_loader.py, test_processes.py), one that needs too much memory
(test_memory.py, test_processes.py), a truncated model file (test_files.py, test_services.py), an unavailable
logs_svc or CouchDB (test_recent_events.py).
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.clients import ServiceUnavailable
from reco.domain import Interaction
from reco.engine.interactions import Hyperparameters
from reco.engine.trainer import HyperparameterSet, lists_of, train
from tests.world import NOW, World


def visits(count=60):
    found = []
    for number in range(count):
        at = NOW - timedelta(hours=count - number)
        near = ("tent", "torch") if number % 2 else ("sofa", "lamp")
        user = f"u{number % 7}" if number % 3 else None
        found += [
            Interaction("view", one, at + timedelta(minutes=k), user, f"s{number}")
            for k, one in enumerate(near)
        ]
        if number % 5 == 0:
            found.append(Interaction("purchase", near[1], at + timedelta(minutes=9), user, f"s{number}"))
    return found


def learned(events, now=NOW):
    lists = train(events, now=now).lists
    return lists.similar, lists.together, lists.personal, lists.trending, dict(lists.histories)


def test_events_out_of_order_give_the_same_model():
    events = visits()
    mixed = events[1::2] + events[::2][::-1]

    assert learned(mixed) == learned(events)


def test_repeated_events_give_the_same_model():
    events = visits()

    assert learned(events + events) == learned(events)


def test_a_future_event_counts_as_now():
    future = [Interaction("view", one, NOW + timedelta(days=900), None, "later") for one in ("tent", "torch")]

    similar, _, _, trending, _ = learned(visits() + future)
    now, *_ = learned(visits())

    assert list(similar) == list(now)
    assert dict(trending)["tent"] <= dict(learned(visits())[3])["tent"] + 1.0


def test_a_future_event_does_not_lower_other_scores():
    future = [Interaction("view", one, NOW + timedelta(days=900), None, "later") for one in ("x", "y")]
    ageing = Hyperparameters(half_life=5.0, prior=0.5)
    hyperparameters = HyperparameterSet(ageing, ageing, ageing)

    now = lists_of(visits(), hyperparameters, NOW).similar
    later = lists_of(visits() + future, hyperparameters, NOW).similar

    assert now["tent"]
    assert dict(later["tent"]).keys() == dict(now["tent"]).keys()


def test_unknown_products_are_learned_and_never_shown():
    world = World()
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "ghost", "torch")
    world.sells("tent", "torch")
    training = world.trains()
    world.parts.serving_state.refresh()
    ask = world.parts.recommendations

    shown = [
        ask.similar("tent", limit=9), ask.similar("ghost", limit=9), ask.together(["ghost"], limit=9),
        ask.trending(category=None, limit=9), ask.for_you(["session:s1"], limit=9),
    ]  # fmt: skip

    assert (training.status, training.products) == ("done", 3)
    assert "ghost" not in {one.product_id for answer in shown for one in answer.results}
    assert [one.product_id for one in ask.similar("tent", limit=9).results] == ["torch"]


def ids(near):
    return [product for product, _ in near]


@pytest.mark.parametrize("products", [1, 100, 100_000])
def test_a_bot_with_100_000_events_changes_no_list(products):
    bot = [
        Interaction("view", f"junk{n % products}", NOW - timedelta(seconds=n), None, "bot")
        for n in range(100_000)
    ]

    before, after = learned(visits()), learned(visits() + bot)

    for trained, spoiled in zip(before[:3], after[:3], strict=True):
        assert {key: ids(spoiled[key]) for key in trained} == {key: ids(trained[key]) for key in trained}
    assert [one for one in after[3] if not one[0].startswith("junk")] == before[3]
    assert max((score for product, score in after[3] if product.startswith("junk")), default=0) <= 1.0


def test_a_catalogue_of_one_product_is_trained_and_served():
    world = World()
    for number in range(60):
        world.history.visit(f"s{number}", "tent", ago=number / 10)
    world.sells("tent")

    training = world.trains()
    world.parts.serving_state.refresh()
    ask = world.parts.recommendations

    assert (training.status, training.promoted, training.products) == ("done", True, 0)
    assert ask.similar("tent", limit=5).results == []
    assert [one.product_id for one in ask.for_you(["session:new"], limit=5).results] == ["tent"]


def test_events_that_are_all_equal_are_trained_and_served():
    world = World()
    world.history.visit("s", *["tent"] * 500)
    world.sells("tent", "torch")

    training = world.trains()
    world.parts.serving_state.refresh()

    assert (training.status, training.events) == ("done", 500)
    assert [one.product_id for one in world.parts.recommendations.similar("tent", limit=5).results] == [
        "torch"
    ]


def test_identical_visits_become_the_lists():
    world = World()
    for number in range(100):
        world.history.visit(f"s{number}", "tent", "torch", ago=number / 10)

    training = world.trains()

    assert (training.quality.ndcg_at_10, training.quality.hit_rate_at_10) == (1.0, 1.0)
    assert training.examples == {"tent": ["torch"], "torch": ["tent"]}


def test_no_events_fail_the_training_with_the_reason_and_the_model_stays():
    world = World()
    world.history.visit("s", "tent", "torch")
    good = world.trains()
    world.history.events.clear()

    bad = world.trains()

    assert (bad.status, bad.reason) == ("failed", "ValueError: no events to learn from")
    assert world.serving.get("main").model == good.id


def test_a_training_fails_while_logs_is_unavailable_and_the_next_resumes():
    world = World(page=10, pages=2)
    world.history.events += visits()
    after, asked = world.history.after, []

    def unavailable(cursor):
        asked.append(cursor)
        if len(asked) > 5:
            raise ServiceUnavailable("logs", "unavailable")
        return after(cursor)

    world.history.after = unavailable
    failed = world.trains()
    world.history.after = after
    world.history.asked.clear()
    done = world.trains()

    assert (failed.status, failed.reason.split(":")[0]) == ("failed", "ServiceUnavailable")
    assert (done.status, done.events) == ("done", len(visits()))
    assert world.history.asked[:2] == [None, "40"]
