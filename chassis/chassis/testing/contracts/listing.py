"""What is found, page by page, and counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.api.pagination import encode_cursor
from chassis.couch import BadCursor, Repository, iter_all
from chassis.testing.fruits import Colour, Fruit, Price, orchard


class ListingContract:
    def test_an_index_lists_in_order_of_its_fields(self, repository: Repository[Fruit]) -> None:
        orchard(repository)

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
        orchard(repository)
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
        orchard(repository)
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
        orchard(repository)

        assert repository.count() == 6
        assert repository.count({"colour": Colour.RED}) == 4
        assert repository.count({"colour": "none"}) == 0
        assert repository.count({"colour": Colour.RED, "price.amount": 300}) == 1
        assert repository.count(index="id") == 6
        assert repository.count(index="colour") == 6
        repository.delete(repository.get("r3"))
        assert repository.count() == repository.count(index="colour") == repository.count(index="id") == 5

    @pytest.mark.parametrize("limit", [1, 2, 3, 200])
    def test_every_one_of_a_list_comes_once_though_it_leaves_the_list_meanwhile(
        self, repository: Repository[Fruit], limit: int
    ) -> None:
        orchard(repository)
        found = []

        for fruit in iter_all(
            repository.find, "colour", {"colour": Colour.RED}, limit=limit, descending=True
        ):
            found.append(fruit.id)
            repository.update(fruit.id, lambda one: setattr(one, "colour", Colour.GREEN))

        assert found == ["r4", "r3", "r2", "r1"]
        assert list(iter_all(repository.find, "colour", {"colour": Colour.RED})) == []

    def test_a_field_named_type_is_the_entitys_own(self, repository: Repository[Fruit]) -> None:
        repository.add(Fruit("a", "apple", type="cox"))
        repository.add(Fruit("b", "pear"))

        found = repository.find("type", {"type": "cox"})

        assert [(fruit.id, fruit.type) for fruit in found] == [("a", "cox")]


def _pages(find: Callable[[str | None], Any]) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = find(cursor)
        pages.append([fruit.id for fruit in page])
        cursor = page.next
        if cursor is None:
            return pages
