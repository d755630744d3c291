"""Contract suites: each runs on the in-memory twin and on a real server, so that the twin cannot lie."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest

from chassis.api.pagination import encode_cursor
from chassis.couch import BadCursor, Busy, Collection, Conflict, Index, NotFound, Repository, Row, View

__all__ = ["FRUITS", "Fruit", "RepositoryContract"]


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@dataclass(slots=True)
class Price:
    amount: int
    currency: str = "EUR"


@dataclass(slots=True)
class Fruit:
    id: str
    name: str
    colour: Colour = Colour.RED
    price: Price = field(default_factory=lambda: Price(100))
    picked: datetime | None = None
    tags: tuple[str, ...] = ()
    type: str = "plain"
    on_hand: int = 0
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


FRUITS = Collection(
    database="fruits",
    kind="fruit",
    type=Fruit,
    indexes=(
        Index("colour", ("colour", "price.amount")),
        Index("picked", ("picked",)),
        Index("type", ("type",)),
    ),
    views=(
        View(
            "stock",
            "function (doc) { if (doc.type === 'fruit') emit([doc.colour, doc.name], doc.on_hand); }",
            "_sum",
            lambda d: [([d["colour"], d["name"]], d["on_hand"])] if d.get("type") == "fruit" else [],
        ),
        View(
            "prices",
            "function (doc) { if (doc.type === 'fruit') emit(doc.colour, doc.price.amount); }",
            "_stats",
            lambda d: [(d["colour"], d["price"]["amount"])] if d.get("type") == "fruit" else [],
        ),
        View(
            "tags",
            "function (doc) { if (doc.type === 'fruit') doc.tags.forEach(function (t) { emit(t, null); }); }",
            None,
            lambda d: [(t, None) for t in d["tags"]] if d.get("type") == "fruit" else [],
        ),
    ),
)


class RepositoryContract:
    """Inherit it in a test class and give the fixture `repository`, a fresh one of FRUITS for each test."""

    def test_an_added_entity_comes_back_as_it_was(self, repository: Repository[Fruit]) -> None:
        picked = datetime(2026, 5, 4, 3, 2, 1, 987000, UTC)
        fruit = Fruit("a", "apple", Colour.GREEN, Price(250, "USD"), picked, ("sour", "round"), "cox", 7, 3)

        added = repository.add(fruit)
        found = repository.get("a")

        assert added.rev.startswith("1-")
        assert found == Fruit(
            "a", "apple", Colour.GREEN, Price(250, "USD"), picked, ("sour", "round"), "cox", 7, 3, added.rev
        )

    def test_an_id_is_given_once(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple"))

        with pytest.raises(Conflict):
            repository.add(Fruit("a", "avocado"))

        assert repository.get("a").name == "apple"

    def test_what_is_not_there_is_not_found(self, repository: Repository[Fruit]) -> None:
        for id in ("nothing", "", "a/b", "../x", "a b", "ä", "_design", "x" * 300, "a\n"):
            with pytest.raises(NotFound):
                repository.get(id)

    def test_an_id_that_is_not_safe_cannot_be_added(self, repository: Repository[Fruit]) -> None:
        with pytest.raises(ValueError, match="not fit"):
            repository.add(Fruit("a/b", "apple"))

    def test_many_come_in_the_asked_order_without_the_missing(self, repository: Repository[Fruit]) -> None:
        for id in "abc":
            repository.add(Fruit(id, id))

        found = repository.get_many(["c", "nothing", "a", "b/d"])

        assert [fruit.id for fruit in found] == ["c", "a"]
        assert repository.get_many([]) == []

    def test_a_save_of_what_another_changed_is_a_conflict(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple"))
        mine, theirs = repository.get("a"), repository.get("a")
        theirs.name = "their apple"
        saved = repository.save(theirs)

        with pytest.raises(Conflict):
            repository.save(mine)

        assert saved.rev.startswith("2-")
        assert repository.get("a") == theirs

    def test_what_was_never_added_cannot_be_saved(self, repository: Repository[Fruit]) -> None:
        with pytest.raises(Conflict):
            repository.save(Fruit("a", "apple"))

    def test_a_deleted_entity_is_gone_and_its_id_free(self, repository: Repository[Fruit]) -> None:
        stale = repository.add(Fruit("a", "apple"))
        fresh = repository.get("a")
        fresh.name = "b"
        repository.save(fresh)
        stale.rev = "1-0123"
        with pytest.raises(Conflict):
            repository.delete(stale)

        repository.delete(fresh)

        with pytest.raises(NotFound):
            repository.get("a")
        assert repository.find("colour", {"colour": Colour.RED}).items == []
        assert repository.add(Fruit("a", "again")).name == "again"

    def test_an_update_reads_changes_and_saves(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple", on_hand=1))

        def take(fruit: Fruit) -> None:
            fruit.on_hand += 4

        updated = repository.update("a", take)

        assert updated == repository.get("a")
        assert updated.on_hand == 5

    def test_an_update_that_changes_nothing_writes_nothing(self, repository: Repository[Fruit]) -> None:
        added = repository.add(Fruit("a", "apple"))

        updated = repository.update("a", lambda fruit: fruit)

        assert updated.rev == added.rev == repository.get("a").rev

    def test_an_update_may_create(self, repository: Repository[Fruit]) -> None:
        def grow(fruit: Fruit) -> None:
            fruit.on_hand += 1

        with pytest.raises(NotFound):
            repository.update("a", grow)
        for _ in range(2):
            repository.update("a", grow, create=lambda: Fruit("a", "apple"))

        assert repository.get("a").on_hand == 2

    def test_what_a_change_raises_comes_through_and_nothing_is_written(
        self, repository: Repository[Fruit]
    ) -> None:
        added = repository.add(Fruit("a", "apple"))

        def refuse(fruit: Fruit) -> None:
            fruit.name = "changed"
            raise LookupError("no")

        with pytest.raises(LookupError):
            repository.update("a", refuse)

        assert repository.get("a") == added

    def test_no_update_of_many_at_once_is_lost(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple"))

        def one_more(fruit: Fruit) -> None:
            fruit.on_hand += 1

        _at_once(8, lambda: [repository.update("a", one_more) for _ in range(5)])

        assert repository.get("a").on_hand == 40

    def test_an_update_that_never_wins_is_busy(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple"))

        def lose(fruit: Fruit) -> None:
            rival = repository.get("a")
            rival.on_hand += 1
            repository.save(rival)
            fruit.name = "mine"

        with pytest.raises(Busy):
            repository.update("a", lose, attempts=3)

        assert repository.get("a").on_hand == 3

    def test_an_index_lists_in_order_of_its_fields(self, repository: Repository[Fruit]) -> None:
        _orchard(repository)

        up = repository.find("colour", {"colour": Colour.RED})
        down = repository.find("colour", {"colour": Colour.RED}, descending=True)
        some = repository.find("colour", {"colour": Colour.RED}, start=200, end=400)
        exact = repository.find("colour", {"colour": Colour.RED, "price.amount": 300})

        assert [f.id for f in up] == ["r1", "r2", "r3", "r4"]
        assert [f.id for f in down] == ["r4", "r3", "r2", "r1"]
        assert [f.id for f in some] == ["r2", "r3"]
        assert [f.id for f in exact] == ["r3"]
        assert [f.id for f in repository.find("colour")] == ["g1", "g2", "r1", "r2", "r3", "r4"]
        assert up.next is None

    def test_a_range_is_half_open_in_both_directions(self, repository: Repository[Fruit]) -> None:
        _orchard(repository)
        first, last = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC)

        up = repository.find("picked", start=first, end=last)
        down = repository.find("picked", start=first, end=last, descending=True)

        assert [f.id for f in up] == ["r2", "r3"]
        assert [f.id for f in down] == ["r3", "r2"]

    @pytest.mark.parametrize("descending", [False, True])
    def test_pages_follow_each_other_without_gap_or_repeat(
        self, repository: Repository[Fruit], descending: bool
    ) -> None:
        for number in range(7):
            repository.add(Fruit(f"f{number}", "same", Colour.GREEN, Price(number // 3)))

        pages = _pages(
            lambda c: repository.find(
                "colour", {"colour": Colour.GREEN}, limit=3, cursor=c, descending=descending
            )
        )

        expected = [f"f{number}" for number in range(7)]
        assert [id for page in pages for id in page] == (expected[::-1] if descending else expected)
        assert [len(page) for page in pages] == [3, 3, 1]

    @pytest.mark.parametrize("descending", [False, True])
    def test_a_collection_is_listed_by_id_without_any_index(
        self, repository: Repository[Fruit], descending: bool
    ) -> None:
        for id in "bdace":
            repository.add(Fruit(id, id))

        pages = _pages(lambda c: repository.find("id", limit=2, cursor=c, descending=descending))
        part = repository.find("id", start="b", end="d")

        assert [id for page in pages for id in page] == sorted("abcde", reverse=descending)
        assert [fruit.id for fruit in part] == ["b", "c"]

    @pytest.mark.parametrize("descending", [False, True])
    def test_a_page_follows_although_the_last_seen_is_gone(
        self, repository: Repository[Fruit], descending: bool
    ) -> None:
        for id in "abcd":
            repository.add(Fruit(id, id))
        seen, following = ("c", ["b", "a"]) if descending else ("b", ["c", "d"])
        cursors = [repository.find(i, limit=2, descending=descending).next for i in ("colour", "id")]

        repository.delete(repository.get(seen))

        by_colour = repository.find("colour", cursor=cursors[0], descending=descending)
        by_id = repository.find("id", cursor=cursors[1], descending=descending)
        assert [fruit.id for fruit in by_colour] == [fruit.id for fruit in by_id] == following

    def test_a_range_of_ids_is_half_open_and_paged(self, repository: Repository[Fruit]) -> None:
        for id in "abcdef":
            repository.add(Fruit(id, id))

        pages = _pages(
            lambda c: repository.find("id", start="b", end="e", limit=1, cursor=c, descending=True)
        )

        assert pages == [["d"], ["c"], ["b"]]

    def test_a_cursor_of_another_list_is_refused(self, repository: Repository[Fruit]) -> None:
        _orchard(repository)
        cursor = repository.find("colour", {"colour": Colour.RED}, limit=1).next

        for other in ("", "rubbish", "e30", "bnVsbA", "€"):
            with pytest.raises(BadCursor):
                repository.find("colour", {"colour": Colour.RED}, cursor=other)
        for key in (["red", 1], ["red", "a"], [{"$gt": None}, "fruit:a"], ["red", {}], ["red", ["fruit:a"]]):
            with pytest.raises(BadCursor):
                repository.find("colour", cursor=encode_cursor(*key))
        with pytest.raises(BadCursor):
            repository.find("colour", {"colour": Colour.GREEN}, cursor=cursor)
        with pytest.raises(BadCursor):
            repository.find("id", cursor=cursor)

    def test_a_list_that_no_index_answers_is_a_mistake_of_the_program(
        self, repository: Repository[Fruit]
    ) -> None:
        with pytest.raises(ValueError, match="no index"):
            repository.find("nothing")
        with pytest.raises(ValueError, match="leading fields"):
            repository.find("colour", {"price.amount": 3})
        with pytest.raises(ValueError, match="no index"):
            repository.count({"name": "x"})
        with pytest.raises(ValueError, match="no view"):
            repository.rows("nothing")

    def test_counts_are_exact(self, repository: Repository[Fruit]) -> None:
        assert repository.count() == 0
        _orchard(repository)

        assert repository.count() == 6
        assert repository.count({"colour": Colour.RED}) == 4
        assert repository.count({"colour": "none"}) == 0
        assert repository.count({"colour": Colour.RED, "price.amount": 300}) == 1
        assert repository.count(index="id") == 6
        assert repository.count(index="colour") == 6
        repository.delete(repository.get("r3"))
        assert repository.count() == repository.count(index="colour") == repository.count(index="id") == 5

    def test_a_field_named_type_is_the_entitys_own(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple", type="cox"))
        repository.add(Fruit("b", "pear"))

        found = repository.find("type", {"type": "cox"})

        assert [(fruit.id, fruit.type) for fruit in found] == [("a", "cox")]

    def test_a_view_answers_rows_groups_and_sums(self, repository: Repository[Fruit]) -> None:
        _orchard(repository)

        assert repository.rows("stock") == [Row("", None, 21)]
        assert repository.rows("stock", group_level=1) == [Row("", ["green"], 11), Row("", ["red"], 10)]
        assert repository.rows("stock", group=True, limit=1) == [Row("", ["green", "fruit-g1"], 5)]
        assert repository.rows("stock", key=["red", "fruit-r2"], reduce=False) == [
            Row("fruit:r2", ["red", "fruit-r2"], 2)
        ]
        assert repository.rows("stock", start=["red"], end=["red", {}]) == [Row("", None, 10)]
        keys = [["red", "fruit-r3"], ["green", "fruit-g2"]]
        assert repository.rows("stock", keys=keys, group=True) == [Row("", keys[0], 3), Row("", keys[1], 6)]
        stats = {"sum": 300, "count": 2, "min": 100, "max": 200, "sumsqr": 50000}
        assert repository.rows("prices", key="green") == [Row("", None, stats)]
        last = repository.rows("tags", descending=True, limit=2)
        assert last == [Row("fruit:r4", "tag-r4", None), Row("fruit:r3", "tag-r3", None)]

    def test_an_empty_view_answers_nothing(self, repository: Repository[Fruit]) -> None:
        assert repository.rows("tags") == []
        assert [row.value for row in repository.rows("stock")] in ([], [0])

    def test_many_are_added_in_one_go_each_by_itself(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("b", "there before"))
        fruits = [Fruit("a", "apple"), Fruit("b", "other"), Fruit("c", "cherry"), Fruit("c", "twice")]

        stored = repository.add_many(fruits)

        assert stored == [True, False, True, False]
        assert repository.add_many([]) == []
        assert repository.get("a") == fruits[0]
        assert repository.get("b").name == "there before"
        assert repository.get("c") == fruits[2]

    def test_unknown_fields_survive_a_write(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple", extra={"smell": "sweet", "parts": [{"n": 1}]}))

        def rename(fruit: Fruit) -> None:
            fruit.name = "b"

        repository.update("a", rename)

        assert repository.get("a").extra == {"smell": "sweet", "parts": [{"n": 1}]}

    def test_an_attachment_survives_later_writes(self, repository: Repository[Fruit]) -> None:
        fruit = repository.add(Fruit("a", "apple"))
        data = bytes(range(256)) * 40

        attached = repository.attach(fruit, "photo", data, "image/png")
        attached.name = "after"
        saved = repository.save(attached)

        assert repository.attachment("a", "photo") == data
        assert repository.get("a") == saved
        assert repository.detach(saved, "photo").extra == {}
        with pytest.raises(NotFound):
            repository.attachment("a", "photo")

    def test_an_attachment_is_put_on_the_revision_that_was_read(self, repository: Repository[Fruit]) -> None:
        stale = repository.add(Fruit("a", "apple"))
        fresh = repository.get("a")
        fresh.name = "b"
        repository.save(fresh)

        with pytest.raises(Conflict):
            repository.attach(stale, "photo", b"x", "image/png")
        with pytest.raises(NotFound):
            repository.attachment("a", "photo")
        with pytest.raises(NotFound):
            repository.attachment("nothing", "photo")


def _orchard(repository: Repository[Fruit]) -> None:
    for number in (3, 1, 4, 2):
        _fruit(repository, f"r{number}", Colour.RED, number, number)
    for number in (2, 1):
        _fruit(repository, f"g{number}", Colour.GREEN, number, number + 4)


def _fruit(repository: Repository[Fruit], id: str, colour: Colour, number: int, on_hand: int) -> None:
    picked = datetime(2026, 1, number, tzinfo=UTC) if colour is Colour.RED else None
    fruit = Fruit(id, f"fruit-{id}", colour, Price(number * 100), picked, (f"tag-{id}",), on_hand=on_hand)
    repository.add(fruit)


def _pages(find: Callable[[str | None], Any]) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = find(cursor)
        pages.append([fruit.id for fruit in page])
        cursor = page.next
        if cursor is None:
            return pages


def _at_once(count: int, work: Callable[[], Any]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
