"""Request-time lists: what just happened changes the next page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.siblings import SiblingDown
from reco.domain import Interaction
from reco.live import Delta, Live
from reco.services.forgetting import forgotten_id
from tests.parts import NOW, Desk, fact


@pytest.fixture
def desk():
    desk = Desk()
    for number in range(6):
        desk.history.visit(f"s{number}", "tent", "torch")
        desk.history.visit(f"h{number}", "sofa", "lamp")
    desk.sells("tent", "torch", "sofa", "lamp")
    desk.trains()
    desk.parts.book.refresh()
    return desk


def for_you(desk, *people):
    desk.live.read()
    desk.parts.book.refresh()
    return desk.parts.recommendations.for_you(list(people), limit=5)


def shown(answer):
    return [one.product_id for one in answer.results]


def test_a_click_after_the_training_changes_the_next_list(desk):
    before = for_you(desk, "session:me")
    desk.history.visit("me", "tent", ago=-0.1)

    after = for_you(desk, "session:me")

    assert before.algorithm == "trending"
    assert (shown(after)[0], after.results[0].reason) == ("torch", "because you viewed Tent")


def test_the_newest_click_counts_most(desk):
    desk.history.visit("me", "tent", ago=-0.1)
    desk.history.visit("me", "sofa", ago=-0.2)

    assert shown(for_you(desk, "session:me")) == ["lamp", "torch"]


def test_what_was_bought_just_now_is_not_shown_to_its_owner_unless_it_is_used_up(desk):
    desk.sells("tea", "cup", category="food")
    for number in range(6):
        desk.history.visit(f"f{number}", "tent", "tea", ago=-0.1)
    desk.history.visit("me", "torch", "tea", type_="purchase", user="ann", ago=-0.2)
    desk.history.visit("me", *"abcd", user="ann", ago=-0.25)
    desk.history.visit("me", "tent", user="ann", ago=-0.3)

    mine = shown(for_you(desk, "user:ann"))

    assert mine[0] == "tea"
    assert "torch" not in mine


def test_products_of_visits_since_the_training_go_together_at_once(desk):
    for number in range(6):
        desk.history.visit(f"n{number}", "tent", "lamp", ago=-0.1)
    desk.live.read()

    answer = desk.parts.recommendations.similar("tent", limit=5)

    assert sorted(shown(answer)[:2]) == ["lamp", "torch"]


def test_an_event_that_comes_again_counts_once(desk):
    desk.history.visit("n", "tent", "lamp", ago=-0.1)

    for _ in range(3):
        desk.live.read()

    assert desk.live.near("tent") == [("lamp", 1 / 21)]


def test_a_new_training_takes_over_what_was_live(desk):
    desk.history.visit("n", "tent", "lamp", ago=-0.1)
    desk.live.read()
    desk.trains()

    desk.parts.book.refresh()
    desk.live.read()

    assert desk.live.near("tent") == []


def test_a_shopper_who_wants_it_forgotten_is_a_stranger_again_and_stays_so_after_a_training(desk):
    desk.history.visit("me", "tent", user="ann", ago=-0.1)
    first = for_you(desk, "user:ann", "session:me")
    desk.now = NOW + timedelta(days=0.2)
    desk.parts.forgetting.people_forget(["user:ann", "session:me"])

    forgotten = for_you(desk, "user:ann", "session:me")
    desk.trains()
    trained = for_you(desk, "user:ann", "session:me")

    assert first.results[0].reason == "because you viewed Tent"
    assert (forgotten.algorithm, trained.algorithm) == ("trending", "trending")


@pytest.mark.parametrize("how", ["reset", "erasure"])
def test_who_wants_it_forgotten_while_a_training_runs_is_a_stranger_to_its_model(desk, how):
    desk.history.visit("me", "tent", user="ann", ago=0.1)
    trainer = desk.parts.trainings._trainer

    def meanwhile(interactions, **more):
        desk.now = NOW + timedelta(minutes=5)
        if how == "reset":
            desk.parts.forgetting.people_forget(["user:ann", "session:me"])
        else:
            desk.parts.forgetting.account_erased(fact("account.erased", {"account_id": "ann"}))
        desk.now = NOW + timedelta(minutes=10)
        return trainer(interactions, **more)

    desk.parts.trainings._trainer = meanwhile
    desk.trains()
    desk.parts.book.refresh()

    assert for_you(desk, "user:ann").algorithm == "trending"


def test_an_erased_account_is_forgotten(desk):
    desk.history.visit("me", "tent", user="ann", ago=0.1)
    desk.trains()

    desk.parts.forgetting.account_erased(fact("account.erased", {"account_id": "ann"}))

    assert desk.forgotten.get(forgotten_id("user:ann")).at == NOW


def test_a_history_of_unknown_things_gets_trending_of_its_shelf_then_what_is_like_it(desk):
    desk.sells("camping-stove", "camping-stove-deluxe")
    desk.history.visit("me", "camping-stove", ago=-0.1)

    answer = for_you(desk, "session:me")

    assert answer.algorithm == "trending"
    assert [(one.product_id, one.reason) for one in answer.results][:2] == [
        ("lamp", "wanted by many on a shelf you looked at"),
        ("sofa", "wanted by many on a shelf you looked at"),
    ]
    assert ("camping-stove-deluxe", "like Camping Stove, which you viewed") in [
        (one.product_id, one.reason) for one in answer.results
    ]


def test_a_new_product_has_neighbours_by_content_at_once(desk):
    desk.sells("camping-stove", "camping-stove-deluxe")
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.similar("camping-stove", limit=3)

    assert (answer.algorithm, shown(answer)[0]) == ("content", "camping-stove-deluxe")


def test_while_logs_is_away_what_is_known_stays():
    class Away:
        def after(self, cursor):
            raise SiblingDown("logs", "away")

    live = Live(Away())

    live.read()

    assert live.near("tent") == []


def test_memory_stays_bounded_by_visitors_who_make_up_products(monkeypatch):
    monkeypatch.setattr("reco.live.PRODUCTS", 100)
    monkeypatch.setattr("reco.live.PAIRS", 50)
    delta = Delta()
    for visit in range(100):
        for number in range(5):
            delta.add(Interaction("view", f"p{visit}-{number}", NOW, None, f"s{visit}"))

    assert len(delta._count) == 100
    assert sum(map(len, delta._pairs.values())) == 50
    assert all(delta._pairs.values())


def test_memory_stays_bounded_by_a_bot_with_a_hundred_thousand_events(desk):
    desk.history.visit("bot", *[f"p{number}" for number in range(100_000)], ago=-0.1)

    desk.live.read()

    assert len(desk.live.history(["session:bot"], lambda _: None)) <= 100
    assert len(desk.live.near("p49")) <= 20
