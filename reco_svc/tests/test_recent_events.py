"""Lists at request time: recent events change the next page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.clients import ServiceUnavailable
from reco.domain import Interaction
from reco.recent_events import CoVisits, RecentEvents
from reco.services.erasure import forgotten_id
from tests.world import NOW, World, event


@pytest.fixture
def world():
    world = World()
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "torch")
        world.history.visit(f"h{number}", "sofa", "lamp")
    world.sells("tent", "torch", "sofa", "lamp")
    world.trains()
    world.parts.serving_state.refresh()
    return world


def for_you(world, *people):
    world.recent_events.read()
    world.parts.serving_state.refresh()
    return world.parts.recommendations.for_you(list(people), limit=5)


def shown(answer):
    return [one.product_id for one in answer.results]


def test_a_click_after_the_training_changes_the_next_list(world):
    before = for_you(world, "session:me")
    world.history.visit("me", "tent", ago=-0.1)

    after = for_you(world, "session:me")

    assert before.algorithm == "trending"
    assert (shown(after)[0], after.results[0].reason) == ("torch", "because you viewed Tent")


def test_the_newest_click_counts_most(world):
    world.history.visit("me", "tent", ago=-0.1)
    world.history.visit("me", "sofa", ago=-0.2)

    assert shown(for_you(world, "session:me")) == ["lamp", "torch"]


def test_recent_purchases_are_not_recommended_unless_consumable(world):
    world.sells("tea", "cup", category="food")
    for number in range(6):
        world.history.visit(f"f{number}", "tent", "tea", ago=-0.1)
    world.history.visit("me", "torch", "tea", type_="purchase", user="ann", ago=-0.2)
    world.history.visit("me", *"abcd", user="ann", ago=-0.25)
    world.history.visit("me", "tent", user="ann", ago=-0.3)

    mine = shown(for_you(world, "user:ann"))

    assert mine[0] == "tea"
    assert "torch" not in mine


def test_visits_since_the_training_make_neighbours(world):
    for number in range(6):
        world.history.visit(f"n{number}", "tent", "lamp", ago=-0.1)
    world.recent_events.read()

    answer = world.parts.recommendations.similar("tent", limit=5)

    assert sorted(shown(answer)[:2]) == ["lamp", "torch"]


def test_a_repeated_recent_event_counts_once(world):
    world.history.visit("n", "tent", "lamp", ago=-0.1)

    for _ in range(3):
        world.recent_events.read()

    assert world.recent_events.neighbours("tent") == [("lamp", 1 / 21)]


def test_a_new_model_replaces_recent_events(world):
    world.history.visit("n", "tent", "lamp", ago=-0.1)
    world.recent_events.read()
    world.trains()

    world.parts.serving_state.refresh()
    world.recent_events.read()

    assert world.recent_events.neighbours("tent") == []


def test_a_forgotten_shopper_stays_unknown_after_a_training(world):
    world.history.visit("me", "tent", user="ann", ago=-0.1)
    first = for_you(world, "user:ann", "session:me")
    world.now = NOW + timedelta(days=0.2)
    world.parts.erasure.people_forget(["user:ann", "session:me"])

    forgotten = for_you(world, "user:ann", "session:me")
    world.trains()
    trained = for_you(world, "user:ann", "session:me")

    assert first.results[0].reason == "because you viewed Tent"
    assert (forgotten.algorithm, trained.algorithm) == ("trending", "trending")


@pytest.mark.parametrize("how", ["reset", "erasure"])
def test_a_request_to_forget_during_a_training_is_applied(world, how):
    world.history.visit("me", "tent", user="ann", ago=0.1)
    trainer = world.parts.trainings._trainer

    def meanwhile(interactions, **more):
        world.now = NOW + timedelta(minutes=5)
        if how == "reset":
            world.parts.erasure.people_forget(["user:ann", "session:me"])
        else:
            world.parts.erasure.account_erased(event("account.erased", {"account_id": "ann"}))
        world.now = NOW + timedelta(minutes=10)
        return trainer(interactions, **more)

    world.parts.trainings._trainer = meanwhile
    world.trains()
    world.parts.serving_state.refresh()

    assert for_you(world, "user:ann").algorithm == "trending"


def test_an_erased_account_is_forgotten(world):
    world.history.visit("me", "tent", user="ann", ago=0.1)
    world.trains()

    world.parts.erasure.account_erased(event("account.erased", {"account_id": "ann"}))

    assert world.forgotten.get(forgotten_id("user:ann")).at == NOW


def test_an_unknown_history_gets_trending_then_similar_content(world):
    world.sells("camping-stove", "camping-stove-deluxe")
    world.history.visit("me", "camping-stove", ago=-0.1)

    answer = for_you(world, "session:me")

    assert answer.algorithm == "trending"
    assert [(one.product_id, one.reason) for one in answer.results][:2] == [
        ("lamp", "wanted by many on a shelf you looked at"),
        ("sofa", "wanted by many on a shelf you looked at"),
    ]
    assert ("camping-stove-deluxe", "like Camping Stove, which you viewed") in [
        (one.product_id, one.reason) for one in answer.results
    ]


def test_a_new_product_has_neighbours_by_content_at_once(world):
    world.sells("camping-stove", "camping-stove-deluxe")
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.similar("camping-stove", limit=3)

    assert (answer.algorithm, shown(answer)[0]) == ("content", "camping-stove-deluxe")


def test_recent_events_stay_while_logs_is_unavailable():
    class Away:
        def after(self, cursor):
            raise ServiceUnavailable("logs", "unavailable")

    recent_events = RecentEvents(Away())

    recent_events.read()

    assert recent_events.neighbours("tent") == []


def test_invented_products_do_not_grow_memory(monkeypatch):
    monkeypatch.setattr("reco.recent_events.MAX_PRODUCTS", 100)
    monkeypatch.setattr("reco.recent_events.MAX_PAIRS", 50)
    delta = CoVisits()
    for visit in range(100):
        for number in range(5):
            delta.add(Interaction("view", f"p{visit}-{number}", NOW, None, f"s{visit}"))

    assert len(delta._count) == 100
    assert sum(map(len, delta._pairs.values())) == 50
    assert all(delta._pairs.values())


def test_a_bot_does_not_grow_memory(world):
    world.history.visit("bot", *[f"p{number}" for number in range(100_000)], ago=-0.1)

    world.recent_events.read()

    assert len(world.recent_events.history(["session:bot"], lambda _: None)) <= 100
    assert len(world.recent_events.neighbours("p49")) <= 20
