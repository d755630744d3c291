"""Category rankings are looked up: no list iterates over the catalogue."""

from __future__ import annotations

import pytest

from reco.domain import CategoryRanking, Product
from tests.world import World


class Catalogue(dict):
    """Products that may be looked up and not iterated over."""

    def __iter__(self):
        raise AssertionError("somebody walks over the whole catalogue")

    items = values = keys = __iter__


@pytest.fixture
def world():
    world = World()
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "torch")
    world.sells("tent", "torch", "stove", "stove-deluxe")
    world.sells(*(f"vase-{number}" for number in range(40)), category="home")
    world.trains()
    world.parts.serving_state.refresh()
    world.parts.serving_state.products = Catalogue(world.parts.serving_state.products)
    return world


def shown(answer):
    return [one.product_id for one in answer.results]


def test_no_list_iterates_over_the_catalogue(world):
    world.history.visit("cold", "stove", ago=-0.1)
    world.recent_events.read()
    ask = world.parts.recommendations

    found = {
        "similar": shown(ask.similar("tent", limit=2)),
        "content": shown(ask.similar("stove", limit=2)),
        "shelf": shown(ask.similar("vase-1", limit=2)),
        "unknown": shown(ask.similar("nobody", limit=2)),
        "together": shown(ask.together(["tent"], limit=2)),
        "stranger": shown(ask.for_you(["session:new"], limit=3)),
        "cold": shown(ask.for_you(["session:cold"], limit=3)),
        "trending": shown(ask.trending(category="home", limit=2)),
        "nowhere": shown(ask.trending(category="nowhere", limit=2)),
    }

    assert found == {
        "similar": ["torch", "stove-deluxe"],
        "content": ["stove-deluxe", "tent"],
        "shelf": ["vase-9", "vase-8"],
        "unknown": ["tent", "torch"],
        "together": ["torch", "stove-deluxe"],
        "stranger": ["tent", "torch", "vase-9"],
        "cold": ["tent", "torch", "stove-deluxe"],
        "trending": ["vase-9", "vase-8"],
        "nowhere": [],
    }


def test_a_category_ranks_trending_then_new_products():
    products = {
        id: Product(id=id, category=product_projection, categories=(*above, product_projection))
        for id, product_projection, *above in [
            ("a", "tents", "outdoor"),
            ("b", "outdoor"),
            ("c", "home"),
            ("d", "tents", "outdoor"),
        ]
    }

    ranking = CategoryRanking(products, [("b", 3.0), ("gone", 2.0), ("a", 1.0)])

    assert list(ranking.all()) == [("b", 3.0), ("a", 1.0), ("d", 0.0), ("c", 0.0)]
    assert list(ranking.of("outdoor")) == [("b", 3.0), ("a", 1.0), ("d", 0.0)]
    assert list(ranking.of("tents")) == [("a", 1.0), ("d", 0.0)]
    assert list(dict.fromkeys(ranking.wanted(["tents", "outdoor", "nowhere"]))) == [("b", 3.0), ("a", 1.0)]
