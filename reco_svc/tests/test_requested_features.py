"""Features that users of Gorse and Metarank request in their issue trackers, a test each.

| requested | issue | here, and where it is tested further |
|---|---|---|
| A/B | gorse 366 | lists name their model; the split and its figures: storefront/tests/test_shelves.py |
| cold start | gorse 151, 357 | the fallback chain, step by step; test_recent_events.py |
| neighbours for a new item at once | gorse 613 | by content, then by the first visits |
| not only bestsellers | gorse 742 | a bestseller is not a neighbour of everything; coverage |
| seen items returned | gorse 833 | none of the last five, none owned |
| hidden and expired items shown | gorse 764 | removed with the catalogue's event; test_services.py |
| memory of the cache | gorse 391, 853, 892 | a mapped file, bounded recent events; test_files.py |
| filters by stock | metarank 1381 | out of stock is not shown, back in stock is |
"""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from reco.domain import Lists
from reco.model_codec import pack
from reco.model_files import ModelFiles, content_name
from reco.recent_events import MAX_PAIRS, MAX_PEOPLE, RecentEvents
from tests.world import FakeHistory, World, event


@pytest.fixture
def world():
    world = World()
    for number in range(20):
        world.history.visit(f"s{number}", "tent", "torch")
        world.history.visit(f"h{number}", "sofa", "lamp")
        world.history.visit(f"b{number}", "socks", ["tent", "sofa"][number % 2])
    world.history.visit("more", *["socks"], ago=2)
    world.sells("tent", "torch", "camping-stove", "camping-stove-deluxe")
    world.sells("sofa", "lamp", "socks", category="home")
    world.trains()
    world.parts.serving_state.refresh()
    return world


def shown(answer):
    return [one.product_id for one in answer.results]


def for_you(world, *people, limit=5):
    world.recent_events.read()
    world.parts.serving_state.refresh()
    return world.parts.recommendations.for_you(list(people), limit=limit)


def test_ab_lists_of_both_arms_name_their_model(world):
    world.history.visit("me", "tent", ago=-0.1)

    personal = for_you(world, "session:me")
    control = world.parts.recommendations.trending(category=None, limit=5)

    assert (personal.algorithm, control.algorithm) == ("surprise-knn-sparse", "trending")
    assert personal.version == control.version == world.serving.get("main").model
    assert shown(personal) != shown(control)


def test_cold_start_falls_back_step_by_step(world):
    stranger = for_you(world, "session:me", limit=3)
    world.history.visit("me", "camping-stove", ago=-0.1)
    unknown = for_you(world, "session:me", limit=9)
    world.history.visit("me", "sofa", ago=-0.2)
    known = for_you(world, "session:me", limit=2)

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


def test_cold_start_a_new_shop_has_lists():
    world = World()
    world.sells("tent", "torch")
    world.parts.serving_state.refresh()
    ask = world.parts.recommendations

    assert shown(ask.similar("tent", limit=5)) == ["torch"]
    assert (
        shown(for_you(world, "session:me"))
        == shown(ask.trending(category=None, limit=5))
        == ["torch", "tent"]
    )


def test_a_new_item_has_neighbours_by_content_and_then_by_visits(world):
    world.sells("camping-lantern", seq=2)
    world.parts.serving_state.refresh()

    before = world.parts.recommendations.similar("camping-lantern", limit=1)
    world.history.visit("n", "lamp", "camping-lantern", ago=-0.1)
    world.recent_events.read()
    after = world.parts.recommendations.similar("camping-lantern", limit=1)

    assert (before.algorithm, shown(before)) == ("content", ["camping-stove-deluxe"])
    assert (after.algorithm, shown(after)) == ("surprise-knn-sparse", ["lamp"])


def test_a_bestseller_is_not_first_in_every_list(world):
    ask = world.parts.recommendations
    bestseller = shown(ask.trending(category=None, limit=1))
    for number in range(30):
        world.history.visit(f"all{number}", "socks", ago=0.5)
    world.trains()
    world.parts.serving_state.refresh()

    first = {
        product: shown(ask.similar(product, limit=1))[0] for product in ("tent", "torch", "sofa", "lamp")
    }

    assert shown(ask.trending(category=None, limit=1)) == ["socks"] != bestseller
    assert first == {"tent": "torch", "torch": "tent", "sofa": "lamp", "lamp": "sofa"}


def test_the_lists_of_a_large_shop_cover_most_products():
    world = World()
    for number in range(600):
        world.history.visit(
            f"s{number}", f"p{number % 100}", f"p{(number * 3 + 1) % 100}", "z-hit", ago=9 - number / 100
        )

    assert world.trains().quality.coverage > 0.5


def test_recently_seen_and_owned_items_are_excluded(world):
    world.history.visit("bought", "lamp", user="ann", type_="purchase", ago=-0.1)
    world.history.visit("me", "torch", "tent", "socks", user="ann", ago=-0.2)

    mine = shown(for_you(world, "user:ann"))

    assert mine[0] == "sofa"
    assert not {"lamp", "torch", "tent", "socks"} & set(mine)


def test_hidden_and_expired_items_leave_every_list(world):
    world.history.visit("me", "tent", ago=-0.1)
    ask, serving_state = world.parts.recommendations, world.parts.serving_state
    before = shown(ask.similar("tent", limit=5)), shown(for_you(world, "session:me"))
    changed = {"title": "Torch", "slug": "torch", "category": "camping", "status": "hidden"}
    world.parts.product_projection.product_changed(
        event("product.changed", {"product_id": "torch", **changed, "skus": {"torch-1": "in_stock"}}, 5)
    )
    world.parts.product_projection.product_deleted(event("product.deleted", {"product_id": "socks"}, 5))
    serving_state.refresh()

    lists = [
        *(shown(ask.similar(product, limit=9)) for product in ("tent", "sofa", "nobody")),
        *(
            shown(ask.trending(category=product_projection, limit=9))
            for product_projection in (None, "camping", "home")
        ),
        shown(ask.together(["tent", "sofa"], limit=9)),
        shown(for_you(world, "session:me", limit=9)),
    ]

    assert all("torch" in one for one in before)
    assert all(lists)
    assert not {"torch", "socks"} & {product for one in lists for product in one}


def test_stock_changes_filter_the_lists(world):
    def stock(availability, seq):
        data = {"sku": "torch-1", "product_id": "torch", "availability": availability}
        world.parts.product_projection.availability_changed(event("availability.changed", data, seq))
        world.parts.serving_state.refresh()
        return shown(world.parts.recommendations.similar("tent", limit=9))

    out, low, out_again, back = stock("out", 2), stock("low", 3), stock("out", 4), stock("in_stock", 5)

    assert ["torch" in one for one in (out, low, out_again, back)] == [False, True, False, True]


def test_a_served_model_is_memory_mapped(tmp_path):
    lists = Lists(similar={f"p{n}": [(f"p{n + k}", 1.0) for k in range(50)] for n in range(4000)})
    data = pack(lists)
    gc.collect()
    tracemalloc.start()

    served = ModelFiles(tmp_path).open(content_name(data), lambda: data)
    opened, _ = tracemalloc.get_traced_memory()
    for number in range(4000):
        served.similar[f"p{number}"]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(data) > 2_000_000
    assert opened < 100 * 4050  # the products' names, once
    assert held < opened + 10_000  # however many lists are asked for


def test_recent_events_are_bounded_in_people_and_pairs():
    history = FakeHistory()
    recent_events = RecentEvents(history)
    for number in range(2 * MAX_PEOPLE):
        history.visit(f"s{number}", *(f"p{(number * 17 + k * 31) % 9000}" for k in range(4)), ago=-0.1)

    recent_events.read()

    assert len(recent_events._people) <= MAX_PEOPLE
    assert recent_events._co_visits._size <= MAX_PAIRS
    assert recent_events.history([f"session:s{2 * MAX_PEOPLE - 1}"], lambda _: None) != []


def test_ten_trainings_leave_three_models_and_three_files(world):
    for number in range(10):
        world.history.visit(f"again{number}", "tent", "lamp")
        world.trains()
        world.parts.serving_state.refresh()

    assert len(world.models.find("by_time", limit=50).items) == 3
    assert len(list(world.folder.iterdir())) == 3
