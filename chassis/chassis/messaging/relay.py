"""The relay: follows a database's feed and tells each subscriber the events that documents carry.

One cursor per subscriber. A subscriber that is away is waited for, in order; an event that it refuses five
times is parked as a dead letter. Delivery is at least once: subscribers keep the id or `seq` of an event with
its effect.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from chassis.background import Job
from chassis.couch import Change, Conflict, Follower, NotFound, open_store
from chassis.couch.store import Store
from chassis.failpoints import failpoint

from .dead_letters import DeadLetters
from .delivery import Deliver, Event, SubscriberUnavailable, deliver_over_http

log = logging.getLogger(__name__)

Subscriptions = Mapping[str, tuple[str, ...]]

_BATCH = 50
_ATTEMPTS = 5
_REMEMBERED = 20_000
#: A document with more events than this is relieved of those that every subscriber has.
_KEPT = 16
_RETRY_SECONDS = 0.3
#: Events may be this late (seconds): an order is written three times within it, and read once.
_LINGER = 0.3


class Relay:
    """Tells the events of one database: `subscriptions` maps an event's type to its subscribers."""

    def __init__(
        self, database: str, subscriptions: Subscriptions, *, deliver: Deliver | None = None,
        store: Store | None = None, dead_letters: DeadLetters | None = None,
    ) -> None:  # fmt: skip
        self.database = database
        self.subscriptions = subscriptions
        self.subscribers = tuple(sorted({name for names in subscriptions.values() for name in names}))
        self.deliver = deliver or deliver_over_http
        self._store, self._dead_letters = store, dead_letters

    @property
    def store(self) -> Store:
        return self._store or open_store(self.database)

    @property
    def dead_letters(self) -> DeadLetters:
        if self._dead_letters is None:
            self._dead_letters = DeadLetters(self.database, deliver=self.deliver)
        return self._dead_letters

    def workers(self) -> list[SubscriptionWorker]:
        return [SubscriptionWorker(self, name) for name in self.subscribers]

    def jobs(self) -> list[Job]:
        """One job per subscriber, for container.BACKGROUND: nobody waits for another subscriber."""
        return [
            Job(f"relay {self.database} to {worker.subscriber}", run=worker.run) for worker in self.workers()
        ]


class SubscriptionWorker:
    """The relay's way to one subscriber."""

    def __init__(self, relay: Relay, subscriber: str, *, retry_seconds: float = _RETRY_SECONDS) -> None:
        self.subscriber = subscriber
        self._relay = relay
        self._wanted = frozenset(t for t, names in relay.subscriptions.items() if subscriber in names)
        self._sent: OrderedDict[str, int] = OrderedDict()
        self._refusals: Counter[str] = Counter()
        self._retry_seconds = retry_seconds
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Follow the feed until `stop` is set."""
        self._stop = stop
        self.follower().run(stop)

    def follower(self) -> Follower:
        return Follower(
            self._relay.database, f"relay-{self.subscriber}", handle_many=self.deliver,
            store=self._relay.store, page=50,
            wait=10.0, linger=_LINGER,
        )  # fmt: skip

    def deliver(self, changes: Sequence[Change]) -> None:
        """Deliver the pending events of these documents.

        Raises SubscriberUnavailable; what was delivered is not delivered again.
        """
        documents = [change.doc for change in changes if change.doc and change.doc.get("events")]
        todo = [(doc["_id"], event) for doc in documents for event in self._pending(doc)]
        for start in range(0, len(todo), _BATCH):
            self._deliver_all(todo[start : start + _BATCH])
        for document in documents:
            self._mark_delivered(document["_id"], document["events"][-1]["seq"])
            self._compact(document)

    def _pending(self, document: Mapping[str, Any]) -> list[Event]:
        last = self._sent.get(document["_id"], 0)
        return [e for e in document["events"] if e["seq"] > last and e["type"] in self._wanted]

    def _deliver_all(self, todo: list[tuple[str, Event]]) -> None:
        while todo:
            if self._stop.is_set():
                raise SubscriberUnavailable("this relay is ending")
            failpoint("relay-before-delivery")
            results = self._relay.deliver(self.subscriber, [event for _, event in todo])
            failpoint("relay-after-delivery")
            if not results:
                raise SubscriberUnavailable(f"{self.subscriber} answered without results")
            for result in results[: len(todo)]:
                if result.get("status") == "rejected" and not self._give_up(todo[0][1], result):
                    self._stop.wait(self._retry_seconds)
                    break
                document_id, event = todo.pop(0)
                self._mark_delivered(document_id, event["seq"])

    def _give_up(self, event: Event, result: Mapping[str, Any]) -> bool:
        """Whether an event was refused for the last time; then it is parked."""
        self._refusals[event["id"]] += 1
        if self._refusals[event["id"]] < _ATTEMPTS:
            return False
        del self._refusals[event["id"]]
        reason = str(result.get("reason", "refused"))
        log.error(
            "%s refused %s of %s: %s", self.subscriber, event["type"], event["subject"], reason,
            extra={"alarm": "dead-letter"},
        )  # fmt: skip
        self._relay.dead_letters.park(self.subscriber, event, reason)
        return True

    def _mark_delivered(self, document_id: str, seq: int) -> None:
        self._sent[document_id] = max(seq, self._sent.pop(document_id, 0))
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def _compact(self, document: Mapping[str, Any]) -> None:
        """Note in a document with many events what this subscriber has, and take out what all have.

        Rare on purpose: it is a write, and a conflict with a business write is left to the next time.
        """
        if len(document["events"]) <= _KEPT:
            return
        told = self._sent[document["_id"]]
        if told - document.get("published", {}).get(self.subscriber, 0) < _KEPT // 2:
            return
        try:
            current = self._relay.store.get(document["_id"])
            current["published"] = current.get("published", {}) | {self.subscriber: told}
            all_have = min(current["published"].get(name, 0) for name in self._relay.subscribers)
            current["events"] = [event for event in current["events"] if event["seq"] > all_have]
            self._relay.store.put(current)
        except (Conflict, NotFound):
            return
