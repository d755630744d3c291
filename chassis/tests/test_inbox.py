"""POST /internal/events as services see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import path

from chassis.couch import Unavailable
from chassis.messaging import Envelope, Rejected, views
from chassis.testing.identity import service_headers

urlpatterns = [path("internal/events", views.Inbox.as_view())]
pytestmark = pytest.mark.usefixtures("routes")

ENVELOPE = {
    "id": "e1",
    "type": "order.confirmed",
    "source": "checkout",
    "subject": "HM-1",
    "seq": 1,
    "at": "2026-05-01T12:00:00.000Z",
    "data": {},
}


@pytest.fixture
def routes() -> Any:
    with override_settings(ROOT_URLCONF=__name__):
        yield


def _post(body: Any, caller: str | None = "checkout") -> Any:
    headers = service_headers(caller) if caller else {}
    client = Client(raise_request_exception=False)
    return client.post("/internal/events", body, content_type="application/json", headers=headers)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the sample service's one handler, which a test chooses."""
    from sample import container

    container.HANDLERS.clear()
    return container.HANDLERS


def test_a_fact_reaches_its_handler(handler: dict[str, Any]) -> None:
    seen: list[Envelope] = []
    handler["order.confirmed"] = seen.append

    answer = _post([ENVELOPE])

    assert (answer.status_code, answer.json()) == (200, {"results": [{"id": "e1", "status": "done"}]})
    assert [(envelope.subject, envelope.seq) for envelope in seen] == [("HM-1", 1)]


def test_what_a_handler_rejects_is_told(handler: dict[str, Any]) -> None:
    def reject(envelope: Envelope) -> str:
        raise Rejected("no such cart")

    handler["order.confirmed"] = reject

    answer = _post([ENVELOPE, ENVELOPE])

    assert answer.json() == {"results": [{"id": "e1", "status": "rejected", "reason": "no such cart"}]}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_handler_that_fails_rejects_and_tells_nothing_internal(handler: dict[str, Any]) -> None:
    handler["order.confirmed"] = lambda envelope: {}["secret"]

    answer = _post([ENVELOPE])

    reason = "the handler failed: KeyError"
    assert answer.json() == {"results": [{"id": "e1", "status": "rejected", "reason": reason}]}


def test_while_the_store_is_away_nothing_is_taken(handler: dict[str, Any]) -> None:
    def away(envelope: Envelope) -> str:
        raise Unavailable("couch")

    handler["order.confirmed"] = away

    answer = _post([ENVELOPE])

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("body", [{}, [], [ENVELOPE] * 501, "text"])
def test_anything_but_a_batch_is_a_bad_request(handler: dict[str, Any], body: Any) -> None:
    assert _post(body).status_code == 400


def test_without_a_service_token_nobody_gets_in(handler: dict[str, Any]) -> None:
    assert _post([ENVELOPE], caller=None).status_code in (401, 403)


def test_a_service_cannot_tell_anothers_facts(handler: dict[str, Any]) -> None:
    answer = _post([ENVELOPE], caller="reco")

    (result,) = answer.json()["results"]
    assert (result["status"], result["reason"]) == ("rejected", "reco cannot speak for checkout")
