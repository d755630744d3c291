"""Decisions on their way to logs_svc."""

import threading
from datetime import UTC, datetime

import pytest

from autoscaling.clients import logs
from autoscaling.clients.logs import AuditTrail
from chassis.clients import Refused, ServiceUnavailable
from chassis.messaging import Envelope

RECORD = {"service": "cart", "from": 2, "to": 5, "outcome": "applied", "reason": "120 requests a second"}


class Logs:
    """logs_svc, which may be away or refuse."""

    def __init__(self, *faults):
        self.faults, self.got, self.came = list(faults), [], threading.Condition()

    def post(self, path, json, *, safe, timeout):
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            raise fault
        with self.came:
            self.got.append((path, json))
            self.came.notify()

    def messages(self):
        return [json[0]["data"]["message"] for _, json in self.got]

    def until(self, start):
        """Return the last message begins so."""
        with self.came:
            assert self.came.wait_for(lambda: self.got and self.messages()[-1].startswith(start), 60)


def trail(target):
    ids = iter(range(10_000))
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    return AuditTrail(target, clock=lambda: at, new_id=lambda: f"id-{next(ids)}", pause=0.01)


def test_a_decision_becomes_a_fact_that_logs_understands():
    target = Logs()

    trail(target).decided(RECORD)
    target.until("2 to 5")

    ((path, (fact,)),) = target.got
    envelope = Envelope.parse(fact)
    assert path == "/internal/events"
    assert (envelope.type, envelope.source, envelope.subject) == ("audit.recorded", "autoscale", "cart")
    assert envelope.data == {
        "actor": "autoscale", "actor_name": "the autoscaler", "action": "scale", "service": "autoscale",
        "object_type": "service", "object_id": "cart", "object_repr": "cart",
        "message": "2 to 5: 120 requests a second", "at": "2026-03-10T12:00:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize("fault", [ServiceUnavailable("logs", "away"), Refused("logs", 400, {})])
def test_logs_being_away_loses_nothing_and_a_refusal_stops_nothing(fault):
    target = Logs(fault, fault)
    made = trail(target)

    for number in range(3):
        made.decided({**RECORD, "to": number + 3})
    target.until("2 to 5")

    messages = target.messages()
    assert len(messages) == (3 if isinstance(fault, ServiceUnavailable) else 1)


def test_who_waits_too_long_loses_the_oldest_only(monkeypatch):
    monkeypatch.setattr(logs, "MOST", 5)
    target = Logs(*[ServiceUnavailable("logs", "away")] * 100)
    made = trail(target)

    for number in range(20):
        made.decided({**RECORD, "to": number})
    target.until("2 to 19")

    messages = [message.split(":")[0] for message in target.messages()]
    assert len(messages) <= 6  # five that waited, and the one that was being sent
    assert messages[-5:] == [f"2 to {number}" for number in range(15, 20)]
