"""What is added, saved, updated and deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.couch import Busy, Conflict, NotFound, Repository
from chassis.testing.fruits import Colour, Fruit, Price


class WritingContract:
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

        def patiently() -> None:
            while True:
                try:
                    repository.update("a", one_more)
                except Busy:
                    time.sleep(0.01)
                else:
                    return

        def five_times() -> None:
            for _ in range(5):
                patiently()

        _at_once(8, five_times)

        assert repository.get("a").on_hand == 40

    def test_an_entity_that_many_change_takes_few_threads_and_others_go_on(
        self, repository: Repository[Fruit]
    ) -> None:
        repository.add_many([Fruit("a", "apple"), Fruit("b", "berry")])
        outcomes: list[str] = []

        def slowly(fruit: Fruit) -> None:
            time.sleep(0.05)
            fruit.on_hand += 1

        def try_once() -> None:
            try:
                repository.update("a", slowly)
                outcomes.append("changed")
            except Busy:
                outcomes.append("busy")

        began = time.monotonic()
        _at_once(32, try_once)
        refused_or_done = time.monotonic() - began
        repository.update("b", slowly)

        assert set(outcomes) == {"changed", "busy"}
        assert repository.get("a").on_hand == outcomes.count("changed") < 16
        assert refused_or_done < 1.5

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
