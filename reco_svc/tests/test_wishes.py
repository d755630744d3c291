"""What users of Gorse and Metarank ask for in their issues (design: reco.md), a test each.

| asked for | issue | here, and where it is tested further |
|---|---|---|
| A/B | gorse 366 | lists tell which they are; the split and its figures: storefront/tests/test_shelves.py |
| cold start | gorse 151, 357 | the chain, step by step; test_live.py |
| neighbours for a new item at once | gorse 613 | by content, then by the first visits |
| not only bestsellers | gorse 742 | a bestseller is no neighbour of everything; coverage |
| seen items returned | gorse 833 | nothing of the last five, nothing owned |
| hidden and expired items shown | gorse 764 | gone when the catalogue says so; test_services.py |
| memory of the cache | gorse 391, 853, 892 | a mapped file, bounded live events; test_files.py, _live.py |
| filters by stock | metarank 1381 | out of stock is not shown, back in stock is |
"""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from reco.domain import Lists
from reco.files import Files, name_of
from reco.live import PAIRS, PEOPLE, Live
from reco.packing import pack
from tests.parts import Desk, FakeHistory, fact


@pytest.fixture
def desk():
    desk = Desk()
    for number in range(20):
        desk.history.visit(f"s{number}", "tent", "torch")
        desk.history.visit(f"h{number}", "sofa", "lamp")
        desk.history.visit(f"b{number}", "socks", ["tent", "sofa"][number % 2])
    desk.history.visit("more", *["socks"], ago=2)
    desk.sells("tent", "torch", "camping-stove", "camping-stove-deluxe")
    desk.sells("sofa", "lamp", "socks", category="home")
    desk.trains()
    desk.parts.book.refresh()
    return desk


def shown(answer):
    return [one.product_id for one in answer.results]


def for_you(desk, *people, limit=5):
    desk.live.read()
    desk.parts.book.refresh()
    return desk.parts.recommendations.for_you(list(people), limit=limit)


def test_a_b_both_arms_are_served_at_the_same_time_and_each_list_says_which_model_made_it(desk):
    desk.history.visit("me", "tent", ago=-0.1)

    personal = for_you(desk, "session:me")
    control = desk.parts.recommendations.trending(category=None, limit=5)

    assert (personal.algorithm, control.algorithm) == ("surprise-knn-sparse", "trending")
    assert personal.version == control.version == desk.serving.get("main").model
    assert shown(personal) != shown(control)


def test_cold_start_a_stranger_then_one_click_on_a_thing_nobody_knows_then_one_that_has_neighbours(desk):
    stranger = for_you(desk, "session:me", limit=3)
    desk.history.visit("me", "camping-stove", ago=-0.1)
    unknown = for_you(desk, "session:me", limit=9)
    desk.history.visit("me", "sofa", ago=-0.2)
    known = for_you(desk, "session:me", limit=2)

    assert (stranger.algorithm, {one.reason for one in stranger.results}) == (
        "trending",
        {"wanted by many just now"},
    )
    assert [(one.product_id, one.reason) for one in unknown.results][:3] == [
        ("tent", "wanted by many on a shelf you looked at"),
        ("torch", "wanted by many on a shelf you looked at"),
        ("camping-stove-deluxe", "like Camping Stove, which you viewed"),
    ]
    assert known.algorithm == "surprise-knn-sparse"
    assert {one.reason for one in known.results} == {"because you viewed Sofa"}


def test_cold_start_a_shop_on_its_first_day_has_lists_too():
    desk = Desk()
    desk.sells("tent", "torch")
    desk.parts.book.refresh()
    ask = desk.parts.recommendations

    assert shown(ask.similar("tent", limit=5)) == ["torch"]
    assert (
        shown(for_you(desk, "session:me")) == shown(ask.trending(category=None, limit=5)) == ["torch", "tent"]
    )


def test_a_new_item_has_neighbours_at_once_by_content_and_a_second_later_by_its_first_visits(desk):
    desk.sells("camping-lantern", seq=2)
    desk.parts.book.refresh()

    before = desk.parts.recommendations.similar("camping-lantern", limit=1)
    desk.history.visit("n", "lamp", "camping-lantern", ago=-0.1)
    desk.live.read()
    after = desk.parts.recommendations.similar("camping-lantern", limit=1)

    assert (before.algorithm, shown(before)) == ("content", ["camping-stove-deluxe"])
    assert (after.algorithm, shown(after)) == ("surprise-knn-sparse", ["lamp"])


def test_not_only_bestsellers_what_everybody_buys_is_not_first_everywhere(desk):
    ask = desk.parts.recommendations
    bestseller = shown(ask.trending(category=None, limit=1))
    for number in range(30):
        desk.history.visit(f"all{number}", "socks", ago=0.5)
    desk.trains()
    desk.parts.book.refresh()

    first = {
        product: shown(ask.similar(product, limit=1))[0] for product in ("tent", "torch", "sofa", "lamp")
    }

    assert shown(ask.trending(category=None, limit=1)) == ["socks"] != bestseller
    assert first == {"tent": "torch", "torch": "tent", "sofa": "lamp", "lamp": "sofa"}


def test_not_only_bestsellers_the_lists_of_a_large_shop_hold_most_of_it():
    desk = Desk()
    for number in range(600):
        desk.history.visit(
            f"s{number}", f"p{number % 100}", f"p{(number * 3 + 1) % 100}", "z-hit", ago=9 - number / 100
        )

    assert desk.trains().quality.coverage > 0.5


def test_seen_items_do_not_come_back_the_newest_five_and_what_is_owned(desk):
    desk.history.visit("bought", "lamp", user="ann", type_="purchase", ago=-0.1)
    desk.history.visit("me", "torch", "tent", "socks", user="ann", ago=-0.2)

    mine = shown(for_you(desk, "user:ann"))

    assert mine[0] == "sofa"
    assert not {"lamp", "torch", "tent", "socks"} & set(mine)


def test_hidden_and_expired_items_are_gone_from_every_list_at_once(desk):
    desk.history.visit("me", "tent", ago=-0.1)
    ask, book = desk.parts.recommendations, desk.parts.book
    before = shown(ask.similar("tent", limit=5)), shown(for_you(desk, "session:me"))
    changed = {"title": "Torch", "slug": "torch", "category": "camping", "status": "hidden"}
    desk.parts.shelf.product_changed(
        fact("product.changed", {"product_id": "torch", **changed, "skus": {"torch-1": "in_stock"}}, 5)
    )
    desk.parts.shelf.product_deleted(fact("product.deleted", {"product_id": "socks"}, 5))
    book.refresh()

    lists = [
        *(shown(ask.similar(product, limit=9)) for product in ("tent", "sofa", "nobody")),
        *(shown(ask.trending(category=shelf, limit=9)) for shelf in (None, "camping", "home")),
        shown(ask.together(["tent", "sofa"], limit=9)),
        shown(for_you(desk, "session:me", limit=9)),
    ]

    assert all("torch" in one for one in before)
    assert all(lists)
    assert not {"torch", "socks"} & {product for one in lists for product in one}


def test_filters_by_stock_what_is_sold_out_goes_and_what_is_back_comes_back(desk):
    def stock(availability, seq):
        data = {"sku": "torch-1", "product_id": "torch", "availability": availability}
        desk.parts.shelf.availability_changed(fact("availability.changed", data, seq))
        desk.parts.book.refresh()
        return shown(desk.parts.recommendations.similar("tent", limit=9))

    out, low, out_again, back = stock("out", 2), stock("low", 3), stock("out", 4), stock("in_stock", 5)

    assert ["torch" in one for one in (out, low, out_again, back)] == [False, True, False, True]


def test_memory_of_the_cache_a_served_model_is_mapped_and_not_loaded(tmp_path):
    lists = Lists(similar={f"p{n}": [(f"p{n + k}", 1.0) for k in range(50)] for n in range(4000)})
    data = pack(lists)
    gc.collect()
    tracemalloc.start()

    served = Files(tmp_path).open(name_of(data), lambda: data)
    opened, _ = tracemalloc.get_traced_memory()
    for number in range(4000):
        served.similar[f"p{number}"]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(data) > 2_000_000
    assert opened < 100 * 4050  # the products' names, once
    assert held < opened + 10_000  # however many lists are asked for


def test_memory_of_the_cache_live_events_of_more_people_and_pairs_than_there_is_room_for_stay_bounded():
    history = FakeHistory()
    live = Live(history)
    for number in range(2 * PEOPLE):
        history.visit(f"s{number}", *(f"p{(number * 17 + k * 31) % 9000}" for k in range(4)), ago=-0.1)

    live.read()

    assert len(live._people) <= PEOPLE
    assert live._delta._size <= PAIRS
    assert live.history([f"session:s{2 * PEOPLE - 1}"], lambda _: None) != []


def test_memory_of_the_cache_ten_trainings_leave_three_models_and_three_files(desk):
    for number in range(10):
        desk.history.visit(f"again{number}", "tent", "lamp")
        desk.trains()
        desk.parts.book.refresh()

    assert len(desk.models.find("by_time", limit=50).items) == 3
    assert len(list(desk.folder.iterdir())) == 3
