"""The relay and the inbox: every event takes effect once, in order, whoever is away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.couch import Collection, MemoryRepository
from chassis.couch.memory import MemoryStore
from chassis.messaging import (
    DeadLetters,
    Envelope,
    Rejected,
    Relay,
    SubscriberUnavailable,
    append_event,
    dead_letters,
)
from chassis.messaging.inbox import receive

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Order:
    id: str
    version: int = 0
    rev: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def tell(self, type: str = "order.confirmed", **data: Any) -> None:
        append_event(self, type=type, source="checkout", subject=self.id, data=data, at=AT)


ORDERS = Collection(database="orders", kind="order", type=Order)


class Cart:
    """A subscriber with a real inbox, that can be away and can refuse."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.batches = 0
        self.away = False
        self.refuses: Callable[[Envelope], bool] = lambda envelope: False

    def handle(self, envelope: Envelope) -> str:
        if self.refuses(envelope):
            raise Rejected("not this one")
        self.heard.append((envelope.subject, envelope.seq))
        return "done"

    def deliver(self, subscriber: str, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        assert subscriber == "cart"
        if self.away:
            raise SubscriberUnavailable("away")
        self.batches += 1
        return receive(events, {"order.confirmed": self.handle}, caller="checkout")


class World:
    def __init__(self) -> None:
        self.store = MemoryStore("orders")
        self.orders = MemoryRepository(ORDERS, self.store)
        self.cart = Cart()
        self.letters = DeadLetters(
            "orders",
            repository=MemoryRepository(dead_letters("orders"), self.store),
            deliver=self.cart.deliver,
        )
        self.worker = self.new_worker()

    def new_worker(self, **more: tuple[str, ...]) -> Any:
        relay = Relay(
            "orders",
            {"order.confirmed": ("cart",), **more},
            deliver=self.cart.deliver,
            store=self.store,
            dead_letters=self.letters,
        )
        worker = next(worker for worker in relay.workers() if worker.subscriber == "cart")
        worker._retry_seconds = 0
        return worker

    def run(self) -> None:
        self.worker.follower().run_once()

    def order(self, id: str, facts: int = 1) -> Order:
        order = Order(id)
        for _ in range(facts):
            order.tell()
        return self.orders.add(order)


@pytest.fixture
def world() -> World:
    return World()


def test_a_recorded_fact_carries_the_envelope() -> None:
    order = Order("HM-1")

    order.tell(total=5)

    (event,) = order.events
    assert len(event.pop("id")) == 36
    assert event == {
        "type": "order.confirmed",
        "source": "checkout",
        "subject": "HM-1",
        "seq": 1,
        "at": "2026-05-01T12:00:00.000Z",
        "data": {"total": 5},
    }


def test_each_fact_is_told_once_and_in_order(world: World) -> None:
    world.order("HM-1", facts=3)
    world.order("HM-2")

    world.run()
    world.orders.update("HM-1", lambda order: order.tell())
    world.run()

    assert world.cart.heard == [("HM-1", 1), ("HM-1", 2), ("HM-1", 3), ("HM-2", 1), ("HM-1", 4)]


def test_a_write_without_a_new_fact_tells_nothing(world: World) -> None:
    order = world.order("HM-1")
    world.run()

    order.version = 2
    world.orders.save(order)
    world.run()

    assert world.cart.batches == 1


def test_facts_that_nobody_asked_for_are_not_sent(world: World) -> None:
    order = Order("HM-1")
    order.tell("order.cancelled")
    world.orders.add(order)

    world.run()

    assert world.cart.batches == 0


def test_a_subscriber_that_is_away_gets_everything_later_and_in_order(world: World) -> None:
    world.cart.away = True
    for number in range(3):
        world.order(f"HM-{number}", facts=2)
    with pytest.raises(SubscriberUnavailable):
        world.run()

    world.cart.away = False
    world.run()

    assert world.cart.heard == [(f"HM-{n}", seq) for n in range(3) for seq in (1, 2)]


def test_a_relay_that_starts_anew_goes_on_from_its_cursor(world: World) -> None:
    world.order("HM-1")
    world.run()
    world.order("HM-2")

    world.worker = world.new_worker()
    world.run()

    assert world.cart.heard == [("HM-1", 1), ("HM-2", 1)]


def test_a_fact_refused_five_times_is_parked_and_the_next_ones_go_on(world: World) -> None:
    tries: list[int] = []

    def refuse_second(envelope: Envelope) -> bool:
        tries.append(envelope.seq)
        return envelope.seq == 2

    world.cart.refuses = refuse_second
    world.order("HM-1", facts=3)

    world.run()

    assert world.cart.heard == [("HM-1", 1), ("HM-1", 3)]
    assert tries == [1, 2, 2, 2, 2, 2, 3]
    (letter,) = world.letters.letters.find("status", {"status": "parked"})
    assert (letter.subscriber, letter.event["seq"], letter.reason) == ("cart", 2, "not this one")


def test_a_dead_letter_can_be_sent_again(world: World) -> None:
    world.cart.refuses = lambda envelope: True
    world.order("HM-1")
    world.run()
    (letter,) = world.letters.letters.find("id")

    with pytest.raises(Rejected):
        world.letters.resend(letter.id)
    world.cart.refuses = lambda envelope: False
    sent = world.letters.resend(letter.id)

    assert world.cart.heard == [("HM-1", 1)]
    assert (sent.status, world.letters.letters.get(letter.id)) == ("sent", sent)


def test_a_document_with_many_facts_is_relieved_of_those_that_all_have(world: World) -> None:
    world.order("HM-1", facts=20)

    world.run()
    world.run()
    world.orders.update("HM-1", lambda order: order.tell())
    world.run()

    assert [event["seq"] for event in world.orders.get("HM-1").events] == [21]
    assert world.cart.heard == [("HM-1", seq) for seq in range(1, 22)]


def test_facts_stay_while_one_subscriber_lacks_them(world: World) -> None:
    world.worker = world.new_worker(**{"order.cancelled": ("logs",)})
    world.order("HM-1", facts=20)

    world.run()

    assert len(world.orders.get("HM-1").events) == 20


def test_the_outlet_ends_when_told(world: World) -> None:
    stop = threading.Event()
    stop.set()

    world.worker.run(stop)

    assert world.cart.heard == []


ENVELOPE = {
    "id": "e1",
    "type": "order.confirmed",
    "source": "checkout",
    "subject": "HM-1",
    "seq": 1,
    "at": "2026-05-01T12:00:00.000Z",
    "data": {},
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seq": True}, "seq is not a positive number"),
        ({"seq": 0}, "seq is not a positive number"),
        ({"data": []}, "data is not an object"),
        ({"subject": 5}, "subject is not a short text"),
        ({"id": "x" * 201}, "id is not a short text"),
        ({"at": "yesterday"}, "at is not a time"),
        ({"at": "2026-05-01T12:00:00"}, "at has no time zone"),
        ({"type": "product.changed"}, "product.changed does not come from checkout"),
        ({"source": "auth", "type": "account.erased"}, "checkout cannot speak for auth"),
    ],
)
def test_a_malformed_fact_is_rejected_with_its_reason(change: dict[str, Any], reason: str) -> None:
    results = receive([ENVELOPE | change], {}, caller="checkout")

    assert [(r["status"], r["reason"]) for r in results] == [("rejected", reason)]


def test_what_is_no_object_is_rejected() -> None:
    assert receive([5], {}, caller="checkout") == [
        {"id": None, "status": "rejected", "reason": "not an object"}
    ]


def test_a_fact_without_a_handler_is_ignored() -> None:
    assert receive([ENVELOPE], {}, caller="checkout") == [{"id": "e1", "status": "ignored"}]


def test_nothing_overtakes_a_rejected_fact() -> None:
    bad = ENVELOPE | {"id": "e0", "seq": None}

    results = receive([ENVELOPE, bad, ENVELOPE], {}, caller="checkout")

    assert [result["status"] for result in results] == ["ignored", "rejected"]
