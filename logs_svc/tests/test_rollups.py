from collections import Counter
from datetime import date, timedelta

import pytest
from conftest import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.couch import Conflict
from logs.domain import HyperLogLog, IncomingEvent, Rollup
from logs.domain.rollup import MAX_PRODUCTS, by_day
from logs.rollups import Days, Rollups

TODAY = Days(NOW.date(), NOW.date())

events = st.builds(
    IncomingEvent,
    type=st.sampled_from(["view", "search", "purchase", "add_to_cart"]),
    at=st.sampled_from(["2026-03-10T01:00:00.000Z", "2026-03-10T23:59:59.999Z"]),
    session=st.sampled_from([None, "s1", "s2", "s3"]),
    product_id=st.sampled_from([None, "p1", "p2", "__proto__"]),
    quantity=st.integers(1, 3),
    query=st.sampled_from([None, "cup", "__proto__"]),
)


def rollup(some):
    made = Rollup()
    for event in some:
        made.add(event)
    return made


@given(st.lists(events), st.lists(events))
@settings(max_examples=50)
def test_rollups_merge_in_any_order(one, two):
    together, other_way, whole = rollup(one), rollup(two), rollup(one + two)

    together.update(rollup(two))
    other_way.update(rollup(one))

    assert together == other_way == whole
    assert Rollup.from_document(whole.to_document()) == whole


def test_visitor_counts_are_exact_while_few_and_close_when_many():
    few, many = (
        HyperLogLog.of(f"v{n % 300}" for n in range(900)),
        HyperLogLog.of(f"v{n}" for n in range(50_000)),
    )

    assert few.count() == 300
    assert abs(many.count() - 50_000) < 0.07 * 50_000
    assert HyperLogLog.from_document(many.to_document()) == many


def test_merged_counters_count_each_visitor_once():
    one, two = (
        HyperLogLog.of(f"v{n}" for n in range(3000)),
        HyperLogLog.of(f"v{n}" for n in range(1500, 4500)),
    )

    one.update(two)

    assert abs(one.count() - 4500) < 0.07 * 4500


def test_trimming_keeps_the_most_frequent():
    many = Rollup(products={"view": Counter({f"p{n}": n for n in range(2 * MAX_PRODUCTS + 1)})})

    many.trim()

    assert len(many.products["view"]) == MAX_PRODUCTS
    assert many.products["view"].most_common(1) == [(f"p{2 * MAX_PRODUCTS}", 2 * MAX_PRODUCTS)]


def figures(world, days=TODAY):
    stats = world.parts.stats
    board = stats.range_figures(days)
    return [stats.timeseries(days), stats.funnel(days), board.overview, board.searches(5)]


def test_merging_deltas_does_not_change_the_figures(world):
    for number in range(5):
        world.put(session=f"s{number}", product_id="p1", at=NOW - timedelta(days=number % 2))
        world.put(type="purchase", session="s1", product_id="p1", amount=1200, currency="EUR")
        world.put(type="search", query="cup", data={"results": 0})
    days = Days(NOW.date() - timedelta(days=1), NOW.date())

    before = figures(world, days)
    merged = world.parts.maintenance.rollups_merge(all=True)
    after = figures(world, days)

    assert merged == 15
    assert after == before
    assert before[2].revenue == {"EUR": 6000}
    assert before[2].searches_without_results == 5


def test_a_merged_delta_that_still_exists_counts_once(world):
    """Simulate a crash between the two steps of a merge."""
    world.put(session="s1")
    ((day, deltas),) = world.parts.rollups.pending_deltas().items()
    before = figures(world)
    world.parts.rollups.merge(day, deltas)
    store = world.parts.registry.open("rollups")
    store.put({name: value for name, value in deltas[0].items() if name != "_rev"})

    assert figures(world) == before
    assert world.parts.rollups.merge(day, world.parts.rollups.pending_deltas()[day]) == 0
    assert figures(world) == before


class Overtaken:
    """A store in which another writer is quicker, once."""

    def __init__(self, store, first) -> None:
        self._store, self._first = store, first

    def __getattr__(self, name):
        return getattr(self._store, name)

    def put(self, document):
        first, self._first = self._first, lambda: None
        first()
        return self._store.put(document)


def test_one_of_two_concurrent_merges_is_refused(world):
    world.put(session="s1")
    ((day, deltas),) = world.parts.rollups.pending_deltas().items()
    store = Overtaken(world.parts.registry.open("rollups"), lambda: world.parts.rollups.merge(day, deltas))

    with pytest.raises(Conflict):
        Rollups(lambda: store).merge(day, deltas)
    assert figures(world)[0][0].counts == {"view": 1}


def test_a_finished_month_is_one_document_updated_by_late_events(world):
    february = [NOW - timedelta(days=number) for number in range(10, 38)]
    for at in february:
        world.put(session=f"s{at.day}", product_id="p1", at=at)
    world.parts.maintenance.rollups_merge(all=True)
    days = Days(date(2026, 2, 1), NOW.date())
    before = figures(world, days)

    world.now = NOW + timedelta(days=10)
    closed = world.parts.maintenance.months_close()
    with_month = figures(world, days)
    world.put(session="late", product_id="p1", at=february[0])
    fresh = figures(world, days)
    world.parts.maintenance.rollups_merge(all=True)

    assert closed == ["2026-02"]
    assert with_month == before
    assert fresh[2].visitors == before[2].visitors + 1
    assert figures(world, days) == fresh


def test_each_day_has_its_own_rollup():
    days = by_day(
        [IncomingEvent("view", "2026-03-09T23:00:00.000Z"), IncomingEvent("view", "2026-03-10T01:00:00.000Z")]
    )

    assert {day: made.total("view") for day, made in days.items()} == {"2026-03-09": 1, "2026-03-10": 1}
