"""The admin of reco_svc: the dashboard, and the report of each training."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from chassis.admin.sso import SignOn, use
from chassis.couch import couch_repository
from chassis.couch.memory import reset
from chassis.testing.identity import make_token
from reco import container
from tests.world import World

HELD = {"staff": ["reco.training.read", "reco.model.read"], "models": ["reco.model.read"]}


def exchange(session):
    if session not in HELD:
        return None
    token = make_token(sub="s1", roles=("manager",), permissions=HELD[session])
    return {"access": token, "expires_in": 600, "user": {"name": "Ada", "email": "ada@example.com"}}


@pytest.fixture
def world():
    reset()
    world = World(couch_repository)
    for number in range(60):
        world.history.visit(f"s{number}", "tent", "torch", ago=9 - number / 10)
    world.sells("tent", "torch")
    use(SignOn(exchange))
    with container.container.override(world.parts):
        yield world
    use(None)
    reset()


def page(path="", session="staff"):
    client = Client()
    client.cookies["staff_session"] = session
    return client.get(f"/admin/reco/{path}")


def report(training):
    answer = page(f"reco/training/{training.id}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_dashboard_shows_the_last_training_and_quality_over_time(world):
    training = world.trains()

    html = page().content.decode()

    for text in (
        "Last training",
        f"reco/training/{training.id}/change/",
        "NDCG@10 by training",
        "Trending",
    ):
        assert text in html
    assert "<svg" in html


def test_the_dashboard_works_without_trainings(world):
    assert "none yet" in page().content.decode()


def test_the_dashboard_needs_its_permission(world):
    assert "Last training" not in page(session="models").content.decode()


def test_a_report_shows_quality_parameters_coverage_size_duration_and_examples(world):
    world.parts.serving_state.refresh()

    html = report(world.trains())

    for text in (
        "120 events", "NDCG@10", "Hit rate at 10", "Coverage", "Size", "Duration", "asked for by staff",
        "What goes with what", "Tent", "Torch",
        "Chosen parameters", "shrink", "people that a pair needs before it is believed", "bought together",
        "promoted", "the first model",
    ):  # fmt: skip
        assert text in html, text


def test_a_report_omits_later_trainings(world):
    trainings = []
    for _ in range(3):
        world.now += timedelta(days=1)
        trainings.append(world.trains())

    html = report(trainings[1])

    assert "Beside the model that served" not in html  # there was no fresh visit to compare on
    assert "02 Nov 12:00" in html
    assert "03 Nov 12:00" in html
    assert "04 Nov 12:00" not in html


def test_a_report_explains_a_refused_promotion(world):
    good = world.trains()
    world.history.events.clear()  # months are lost, and what is left says nothing of tents
    for number in range(400):
        world.history.visit(f"n{number}", f"a{number}", f"b{number}", ago=-number / 1000)
    for number in range(44):
        world.history.visit(f"t{number}", "tent", "torch", ago=-1 - number / 1000)
    world.now += timedelta(days=2)
    training = world.trains()

    html = report(training)

    assert training.reason == "NDCG@10 0.0000, worse than the serving 1.0000"
    for text in ("not promoted", training.reason, "Beside the model that served", "on 44 visits"):
        assert text in html, text
    assert world.serving.get("main").model == good.id


def test_reports_show_failures_and_alerts(world):
    bad = world.trains()
    world.trainings.update(
        bad.id, lambda one: setattr(one, "alert", "quality fell: NDCG@10 0.1, usually 0.2")
    )
    world.history.events.clear()

    failed = report(world.trains())

    assert "ValueError: no events to learn from" in failed
    assert "quality fell: NDCG@10 0.1, usually 0.2" in report(bad)


def test_a_report_escapes_product_titles(world):
    world.products.update("torch", lambda product: setattr(product, "title", "<script>alert(1)</script>"))
    world.parts.serving_state.refresh()

    html = report(world.trains())

    assert "&lt;script&gt;alert" in html
    assert "<script>alert" not in html


def test_an_unknown_training_has_no_report(world):
    assert page("reco/training/nope/change/").status_code == 302
