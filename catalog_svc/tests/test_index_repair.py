"""Consistency check of the index: discrepancies are found, repaired and reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tantivy
from prometheus_client import REGISTRY

from catalog.readmodel.consistency import Discrepancy, IndexRepairer
from catalog.readmodel.query import Filters
from catalog.readmodel.writer import IndexBroken, IndexWriter
from chassis.couch import Unavailable
from shop import product, small_shop


@pytest.fixture
def shop(world: Any) -> Any:
    small_shop(world.parts)
    world.catch_up()
    return world


def entry(id: str, **fields: Any) -> Any:
    """Return an index entry of an unknown product, or an old one."""
    document = tantivy.Document()
    document.add_text("kind", "product")
    document.add_text("id", id)
    document.add_text("slug", id)
    document.add_bytes("card", json.dumps({"id": id, **fields}).encode())
    document.add_bytes("page", b"{}")
    return document


def spoil(shop: Any, ids: list[str], documents: list[Any]) -> None:
    """Write to the index past the indexer, as a lost change or a fault would leave it."""
    shop.parts.indexer.close()
    writer = IndexWriter(shop.parts.indexer._folder.current())
    writer.replace(ids, documents)
    writer.close()


def listed(shop: Any) -> list[dict[str, Any]]:
    return list(json.loads(shop.parts.search.search(Filters(), "popular", 24, None)[0] + b"}")["results"])


def found(shop: Any) -> list[tuple[str, str, str]]:
    return [(one.product_id, one.fault, one.details) for one in shop.parts.indexer.repair()]


def id_of(shop: Any, slug: str) -> str:
    return str(shop.parts.products.get(slug).id)


def test_a_consistent_index_is_unchanged(shop):
    before = shop.parts.indexer._folder.stamp()

    assert found(shop) == []
    assert shop.parts.indexer._folder.stamp() == before


def test_a_missing_product_is_added(shop):
    stool, before = id_of(shop, "stool"), listed(shop)
    spoil(shop, [stool], [])

    assert found(shop) == [(stool, "missing", "not shown although it is for sale")]
    assert listed(shop) == before


def test_an_unlisted_product_is_removed(shop):
    hidden = shop.parts.products.update(slug="stool", changes={"status": "hidden"})
    shop.catch_up()
    spoil(shop, [], [entry(hidden.id), entry("nobody")])

    assert found(shop) == [
        (hidden.id, "unlisted", "shown although it is not for sale"),
        ("nobody", "unlisted", "shown although it is not for sale"),
    ]
    assert len(listed(shop)) == 5


def test_a_duplicate_entry_is_removed(shop):
    stool = id_of(shop, "stool")
    spoil(shop, [], [entry(stool)])

    assert found(shop) == [(stool, "duplicate", "2 entries")]
    assert len(listed(shop)) == 6


def test_stale_prices_and_availability_are_updated(shop):
    lamp, before = id_of(shop, "desk-lamp"), listed(shop)
    card = next(card for card in before if card["slug"] == "desk-lamp")
    card = {**card, "price_from": {"amount": 1, "currency": "EUR"}, "availability": "out"}
    spoil(shop, [lamp], [entry(**card)])

    ((id, fault, details),) = found(shop)

    assert (id, fault) == (lamp, "stale")
    assert {"price_from", "availability"} <= set(details.split(", "))
    assert listed(shop) == before


def test_a_missing_category_tree_is_written_again(shop):
    before = shop.parts.search.categories()
    spoil(shop, ["tree"], [])

    assert found(shop) == [("tree", "missing", "category tree")]
    assert shop.parts.search.categories() == before


def test_the_order_by_popularity_is_compared(shop):
    bear = id_of(shop, "teddy-bear")
    shop.parts.indexer.close()
    line = {"product_id": bear, "quantity": 3}
    shop.parts.event_handlers.order_confirmed({"order_id": "HM-1", "lines": [line]})

    assert found(shop) == [(bear, "stale", "order by popular")]
    assert listed(shop)[0]["id"] == bear


def test_pending_popularity_survives_a_restart(shop):
    """Keep pending popularity, which is written 10 s after the cursor has passed the purchase."""
    bear = id_of(shop, "teddy-bear")
    line = {"product_id": bear, "quantity": 3}
    shop.parts.event_handlers.order_confirmed({"order_id": "HM-1", "lines": [line]})
    for follower in shop.parts.indexer._followers:
        follower.run_once()
    shop.parts.indexer.close()

    again = shop.bootstrap()
    again.indexer.catch_up()
    again.indexer.close()

    assert listed(shop)[0]["id"] == bear


def test_a_new_product_is_no_discrepancy(shop):
    product(shop.parts, "Later lamp")
    shop.catch_up()

    assert found(shop) == []


def test_repairs_are_counted_in_metrics_and_shown_to_staff(shop):
    def repaired() -> float:
        return REGISTRY.get_sample_value("catalog_index_mended_total", {"fault": "missing"}) or 0.0

    before, stool = repaired(), id_of(shop, "stool")
    for _ in range(2):
        spoil(shop, [stool], [])
        found(shop)

    repairs = shop.parts.index_repairs.latest()
    assert repaired() == before + 2
    assert repairs.total == 2
    assert [(one.product_id, one.fault, one.at) for one in repairs.latest] == [
        (stool, "missing", shop.clock())
    ] * 2


def test_a_partial_change_is_rolled_back(shop):
    shop.parts.indexer.close()
    writer = IndexWriter(shop.parts.indexer._folder.current())

    with pytest.raises(TypeError):
        writer.replace([id_of(shop, "stool")], ["no document"])
    writer.replace([], [])
    writer.close()

    assert len(listed(shop)) == 6


def test_a_closed_index_refuses_writes(shop):
    shop.parts.indexer.close()
    writer = IndexWriter(shop.parts.indexer._folder.current())
    writer.close()

    with pytest.raises(IndexBroken):
        writer.replace([id_of(shop, "stool")], [])

    assert len(listed(shop)) == 6


# -- its pace


class Pages:
    """Check of a number of pages, one of which finds the given discrepancies."""

    def __init__(self, count: int, **found: list[Discrepancy]) -> None:
        self._left, self.found = list(range(count)), found

    def next_page(self, searcher: Any) -> list[Discrepancy] | None:
        if not self._left:
            return None
        return self.found.get(f"page{self._left.pop(0)}", [])


def discrepancy(id: str, mark: str = "m") -> Discrepancy:
    return Discrepancy(id, "missing", "", mark)


class Bench:
    """Index repairer with a clock and checks controlled by the test."""

    def __init__(self, *comparisons: Any, again: Any = ()) -> None:
        self.now, self.begun, self.repaired = 1000.0, [], []
        self.comparisons, self.again = list(comparisons), list(again)
        self.repair = IndexRepairer(
            self.begin, lambda ids: self.again.pop(0) if self.again else [],
            lambda found: self.repaired.extend(one.product_id for one in found),
            interval=900, recheck_delay=20, page_interval=2, clock=lambda: self.now,
        )  # fmt: skip

    def begin(self) -> Any:
        self.begun.append(self.now)
        made = self.comparisons.pop(0) if self.comparisons else Pages(1)
        if isinstance(made, Exception):
            raise made
        return made

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.repair.step(None)


def test_the_index_is_checked_after_the_start_and_every_quarter_of_an_hour():
    bench = Bench()

    bench.wait(1850)

    assert bench.begun == [1020, 1920, 2820]


def test_the_index_is_checked_right_after_an_outage():
    bench = Bench()
    bench.wait(100)

    bench.repair.check_soon()
    bench.wait(5)

    assert bench.begun == [1020, 1102]


def test_an_outage_during_the_check_postpones_it():
    bench = Bench(Unavailable("down"), Pages(1, page0=[discrepancy("a")]), again=[[discrepancy("a")]])

    with pytest.raises(Unavailable):
        bench.wait(30)
    bench.repair.check_soon()
    bench.wait(30)

    assert bench.repaired == ["a"]


def test_only_lasting_discrepancies_are_repaired():
    bench = Bench(
        Pages(2, page0=[discrepancy("lost"), discrepancy("late")], page1=[discrepancy("moving", "1")]),
        again=[[discrepancy("lost")], [discrepancy("moving", "2")], [discrepancy("moving", "2")]],
    )

    bench.wait(120)

    assert bench.repaired == ["lost", "moving"]


def test_ten_thousand_products_are_compared_in_pages_of_a_hundred_two_seconds_apart():
    bench = Bench(Pages(100))

    bench.wait(20 + 199)
    bench.repair.check_soon()
    before = list(bench.begun)
    bench.wait(10)

    assert before == [1020]
    assert len(bench.begun) == 2
