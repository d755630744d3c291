"""The API of reco_svc: complete responses, permissions, and bad input."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from chassis.testing.identity import bearer, staff
from chassis.testing.permissions import assert_every_view_declares_permissions
from reco import container
from reco.services.erasure import forgotten_id
from tests.world import World


@pytest.fixture
def world():
    world = World()
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "torch")
    world.sells("tent", "torch")
    with container.container.override(world.parts):
        yield world


@pytest.fixture
def client():
    return APIClient()


def test_similar_returns_products_scores_reasons_and_the_model(world, client):
    training = world.trains()

    answer = client.get("/api/reco/similar/tent?limit=3")

    assert answer.status_code == 200
    [first] = answer.json()["results"]
    assert (first["product_id"], first["reason"]) == ("torch", "often looked at with Tent")
    assert first["because"] == {"kind": "viewed_with", "product_id": "tent", "title": "Tent"}
    assert answer.json()["model"] == {
        "version": training.id,
        "algorithm": "surprise-knn-sparse",
        "trained_at": "2026-11-01T12:00:00Z",
    }


def test_an_unknown_product_gets_popular_products(world, client):
    world.trains()

    answer = client.get("/api/reco/similar/nobody-knows")

    assert answer.status_code == 200
    assert answer.json()["model"]["algorithm"] == "popularity"


def test_together_takes_a_basket(world, client):
    world.trains()

    answer = client.get("/api/reco/together?ids=tent&limit=1")

    assert [one["product_id"] for one in answer.json()["results"]] == ["torch"]


def test_for_you_identifies_a_session_by_its_header(world, client):
    world.history.visit("me", "tent")
    world.trains()

    answer = client.get("/api/reco/for-you", headers={"X-Session-Id": "me"})

    first = answer.json()["results"][0]
    assert first["reason"] == "because you viewed Tent"
    assert first["because"] == {"kind": "viewed", "product_id": "tent", "title": "Tent"}


def test_the_trending_list_names_its_algorithm(world, client):
    world.trains()

    answer = client.get("/api/reco/for-you")

    assert answer.json()["model"]["algorithm"] == "trending"


def test_staff_start_a_training_and_see_its_quality(world, client):
    started = client.post("/api/reco/trainings", {}, format="json", headers=staff("reco.training.write"))
    world.parts.trainings.training_run(started.json()["id"])

    seen = client.get(f"/api/reco/trainings/{started.json()['id']}", headers=staff("reco.training.read"))
    listed = client.get("/api/reco/trainings", headers=staff("reco.training.read"))

    assert (started.status_code, started.json()["status"]) == (202, "queued")
    assert seen.json()["status"] == "done"
    assert set(seen.json()["quality"]) == {"ndcg_at_10", "hit_rate_at_10", "coverage", "visits"}
    assert listed.json() == {"results": [seen.json()], "next": None}


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (bearer(), 403)])
def test_trainings_are_for_staff_only(world, client, headers, status):
    assert client.get("/api/reco/trainings", headers=headers).status_code == status
    assert client.post("/api/reco/trainings", {}, format="json", headers=headers).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "similar/tent?limit=0",
        "similar/tent?limit=101",
        "similar/tent?limit=abc",
        "similar/tent?colour=red",
        "together",
        "together?ids=",
        "trending?category=%7B%22%24gt%22%3Anull%7D",
    ],
)
def test_invalid_parameters_return_400(world, client, path):
    answer = client.get(f"/api/reco/{path}")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_training_is_not_found(world, client):
    answer = client.get("/api/reco/trainings/nope", headers=staff("reco.training.read"))

    assert answer.status_code == 404


def test_every_view_declares_permissions():
    assert_every_view_declares_permissions()


def test_a_session_of_odd_characters_is_forgotten_too(world, client):
    answer = client.delete("/api/reco/for-you", headers={"X-Session-Id": "_ {}/ odd"})

    assert answer.status_code == 204


def test_a_shopper_resets_their_lists(world, client):
    world.history.visit("me", "tent")
    world.trains()

    answer = client.delete("/api/reco/for-you", headers={"X-Session-Id": "me"})
    lists = client.get("/api/reco/for-you", headers={"X-Session-Id": "me"})

    assert (answer.status_code, world.forgotten.get(forgotten_id("session:me")).at) == (204, world.now)
    assert lists.json()["model"]["algorithm"] == "trending"
