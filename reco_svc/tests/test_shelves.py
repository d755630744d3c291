"""Shelves are looked up: no list walks over the catalogue."""

from __future__ import annotations

import pytest

from reco.domain import Product, Shelves
from tests.parts import Desk


class Catalogue(dict):
    """Products that may be looked up and not walked over."""

    def __iter__(self):
        raise AssertionError("somebody walks over the whole catalogue")

    items = values = keys = __iter__


@pytest.fixture
def desk():
    desk = Desk()
    for number in range(6):
        desk.history.visit(f"s{number}", "tent", "torch")
    desk.sells("tent", "torch", "stove", "stove-deluxe")
    desk.sells(*(f"vase-{number}" for number in range(40)), category="home")
    desk.trains()
    desk.parts.book.refresh()
    desk.parts.book.products = Catalogue(desk.parts.book.products)
    return desk


def shown(answer):
    return [one.product_id for one in answer.results]


def test_no_list_walks_over_the_catalogue(desk):
    desk.history.visit("cold", "stove", ago=-0.1)
    desk.live.read()
    ask = desk.parts.recommendations

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


def test_a_shelf_has_what_is_wanted_then_what_is_new_of_it_and_of_those_below():
    products = {
        id: Product(id=id, category=shelf, categories=(*above, shelf))
        for id, shelf, *above in [
            ("a", "tents", "outdoor"),
            ("b", "outdoor"),
            ("c", "home"),
            ("d", "tents", "outdoor"),
        ]
    }

    shelves = Shelves(products, [("b", 3.0), ("gone", 2.0), ("a", 1.0)])

    assert list(shelves.all()) == [("b", 3.0), ("a", 1.0), ("d", 0.0), ("c", 0.0)]
    assert list(shelves.of("outdoor")) == [("b", 3.0), ("a", 1.0), ("d", 0.0)]
    assert list(shelves.of("tents")) == [("a", 1.0), ("d", 0.0)]
    assert list(dict.fromkeys(shelves.wanted(["tents", "outdoor", "nowhere"]))) == [("b", 3.0), ("a", 1.0)]
