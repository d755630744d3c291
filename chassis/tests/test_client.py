"""The client to CouchDB when answers get lost: no write is done twice, none is reported that was not made."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.test import override_settings

from chassis.couch import Conflict, Repository, Unavailable, couch_repository, ensure
from chassis.couch.client import CouchStore
from chassis.testing.couch import PASSWORD, CouchServer, fresh_databases
from chassis.testing.faults import Fault, FaultyProxy, faulty_proxy
from chassis.testing.fruits import FRUITS, Fruit

pytestmark = pytest.mark.integration


@pytest.fixture
def proxy(couch: CouchServer) -> Iterator[FaultyProxy]:
    with (
        faulty_proxy(couch.port) as running,
        override_settings(
            COUCHDB_URL=f"http://admin:{PASSWORD}@127.0.0.1:{running.port}", COUCHDB_TIMEOUT=1.0
        ),
        fresh_databases(),
    ):
        ensure([FRUITS])
        yield running


@pytest.fixture
def fruits(proxy: FaultyProxy) -> Repository[Fruit]:
    return couch_repository(FRUITS)


@pytest.mark.parametrize("fault", ["refuse", "lose", "bad-gateway", "slow"])
def test_an_addition_whose_answer_is_lost_is_made_once(
    proxy: FaultyProxy, fruits: Repository[Fruit], fault: Fault
) -> None:
    proxy.delay = 1.5
    proxy.faults.append(fault)

    added = fruits.add(Fruit("a", "apple"))

    assert added == fruits.get("a")
    assert added.rev.startswith("1-")


def test_a_large_attachment_is_given_the_time_that_its_size_needs(
    proxy: FaultyProxy, fruits: Repository[Fruit]
) -> None:
    small, large = fruits.add(Fruit("a", "apple")), fruits.add(Fruit("b", "pear"))
    proxy.delay = 1.5

    proxy.faults.append("slow")
    with pytest.raises(Unavailable, match="timed out"):
        fruits.attach(small, "picture", b"x", "image/png")
    proxy.faults.append("slow")
    fruits.attach(large, "picture", bytes(3 << 20), "image/png")

    assert len(fruits.attachment("b", "picture")) == 3 << 20


@pytest.mark.parametrize("fault", ["refuse", "lose", "bad-gateway"])
def test_an_update_whose_answer_is_lost_is_made_once(
    proxy: FaultyProxy, fruits: Repository[Fruit], fault: Fault
) -> None:
    fruits.add(Fruit("a", "apple", on_hand=5))
    proxy.faults.extend([fault, fault])

    def take(fruit: Fruit) -> None:
        fruit.on_hand -= 1

    updated = fruits.update("a", take)

    assert (updated.on_hand, fruits.get("a").on_hand, updated.rev[:2]) == (4, 4, "2-")


@pytest.mark.parametrize("fault", ["refuse", "lose", "bad-gateway"])
def test_a_deletion_whose_answer_is_lost_is_made(
    proxy: FaultyProxy, fruits: Repository[Fruit], fault: Fault
) -> None:
    added = fruits.add(Fruit("a", "apple"))
    proxy.faults.append(fault)

    fruits.delete(added)

    assert fruits.find("id").items == []


def test_a_write_that_landed_and_was_followed_by_anothers_is_known_to_have_landed(
    proxy: FaultyProxy, fruits: Repository[Fruit]
) -> None:
    store = CouchStore("fruits")
    document = {"_id": "x", "n": 1, "write": "mine"}
    first = store.writer.put_once(document)
    current = store.get("x")
    store.put(current | {"n": 2})

    assert store.writer.landed(document) == first
    assert store.writer.landed(document | {"write": "never sent"}) is None


def test_another_writers_document_is_not_taken_for_ours(
    proxy: FaultyProxy, fruits: Repository[Fruit]
) -> None:
    fruits.add(Fruit("a", "apple"))
    proxy.faults.append("lose")

    with pytest.raises(Conflict):
        fruits.add(Fruit("a", "apple"))


def test_a_store_that_stays_away_is_unavailable(proxy: FaultyProxy, fruits: Repository[Fruit]) -> None:
    proxy.faults.extend(["refuse"] * 9)

    with pytest.raises(Unavailable):
        fruits.add(Fruit("a", "apple"))


@pytest.mark.parametrize("fault", ["refuse", "bad-gateway"])
def test_a_read_is_simply_repeated(proxy: FaultyProxy, fruits: Repository[Fruit], fault: Fault) -> None:
    fruits.add(Fruit("a", "apple"))
    proxy.methods = frozenset({"GET", "POST"})

    proxy.faults.append(fault)
    got = fruits.get("a")
    proxy.faults.append(fault)
    many = fruits.get_many(["a"])
    proxy.faults.append(fault)
    found = fruits.find("colour").items

    assert [got] == many == found


@pytest.mark.parametrize("fault", ["cut", "unread"])
def test_a_half_read_answer_is_unavailable_and_no_missing_document(
    proxy: FaultyProxy, fruits: Repository[Fruit], fault: Fault
) -> None:
    fruits.add(Fruit("a", "apple"))
    proxy.methods = frozenset({"POST"})
    proxy.faults.extend([fault, fault])

    with pytest.raises(Unavailable):
        fruits.get_many(["a"])

    proxy.faults.clear()
    assert [fruit.id for fruit in fruits.get_many(["a", "nothing"])] == ["a"]


@pytest.mark.parametrize("fault", ["later", "limit"])
def test_a_store_that_asks_to_wait_keeps_no_request_waiting(
    proxy: FaultyProxy, fruits: Repository[Fruit], fault: Fault
) -> None:
    began = time.monotonic()

    proxy.faults.append(fault)
    added = fruits.add(Fruit("a", "apple"))
    proxy.methods = frozenset({"GET"})
    proxy.faults.extend([fault] * 3)
    with pytest.raises(Unavailable):
        fruits.get("a")
    proxy.faults.clear()

    assert fruits.get("a") == added
    assert time.monotonic() - began < 10


def test_a_missing_database_is_unavailable_and_not_an_empty_one(proxy: FaultyProxy) -> None:
    store, design = CouchStore("nothing"), FRUITS.designs()["tags"]

    for call in (lambda: store.get("x"), lambda: store.put({"_id": "x"}), lambda: store.view(design, {})):
        with pytest.raises(Unavailable, match="prepare"):
            call()


def test_no_password_shows_in_an_error() -> None:
    url = "http://admin:very-secret@127.0.0.1:1"

    with override_settings(COUCHDB_URL=url), pytest.raises(Unavailable) as caught:
        CouchStore("x").get("y")

    assert "very-secret" not in str(caught.value)


def test_preparing_may_be_repeated(proxy: FaultyProxy, fruits: Repository[Fruit]) -> None:
    fruits.add(Fruit("a", "apple"))

    ensure([FRUITS])

    assert fruits.count() == 1
