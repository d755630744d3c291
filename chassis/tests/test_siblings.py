from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import urllib3
from django.test import override_settings

from chassis.identity import tokens
from chassis.observe import context
from chassis.siblings import Answer, Refused, Sibling, SiblingDown
from chassis.siblings.client import FAILURES, Pool, transport


class Canned:
    """Answers what it is given, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, Any] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, method: str, url: str, **kwargs: Any) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append({"method": method, "url": url, **kwargs})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return status, {}, body if isinstance(body, bytes) else json.dumps(body).encode()


def test_a_query_goes_through_the_gateway() -> None:
    canned = Canned((200, [{"sku": "a"}]))

    with transport.override(canned):
        answer = Sibling("cart").get("/products", {"ids": "a,b", "cursor": None})

    assert answer == Answer(200, [{"sku": "a"}], {})
    assert canned.asked == [
        {
            "method": "GET",
            "url": "http://gateway.invalid/api/cart/products?ids=a%2Cb",
            "body": None,
            "headers": {"Accept": "application/json"},
            "timeout": 2.0,
            "retry": True,
        }
    ]


def test_an_internal_call_proves_who_makes_it_and_carries_the_request_id() -> None:
    canned = Canned((201, {}))

    with transport.override(canned), context.use("req-7"):
        Sibling("cart").post("/internal/carts/1/claim", {"a": "é"}, user_token="T", safe=True)

    sent = canned.asked[0]
    assert tokens.verify_service(sent["headers"].pop("X-Service-Token"), "cart") == "catalog"
    assert sent["headers"] == {
        "Accept": "application/json",
        "Authorization": "Bearer T",
        "X-Request-ID": "req-7",
        "Content-Type": "application/json",
    }
    assert (sent["body"], sent["retry"]) == ('{"a":"é"}'.encode(), True)


def test_a_token_is_signed_once_for_many_calls() -> None:
    canned = Canned((200, {}))
    cart = Sibling("cart")

    with transport.override(canned):
        for _ in range(3):
            cart.get("/internal/things")

    assert len({sent["headers"]["X-Service-Token"] for sent in canned.asked}) == 1


@pytest.mark.parametrize(
    ("extra", "retry"), [({}, False), ({"safe": True}, True), ({"idempotency_key": "k"}, True)]
)
def test_a_command_is_sent_twice_only_where_that_is_safe(extra: dict[str, Any], retry: bool) -> None:
    canned = Canned((200, {}))

    with transport.override(canned):
        Sibling("cart").post("/lines", {}, **extra)

    assert canned.asked[0]["retry"] is retry


def test_a_refusal_carries_its_problem() -> None:
    canned = Canned((409, {"type": "out-of-stock", "short": []}))

    with transport.override(canned), pytest.raises(Refused) as refused:
        Sibling("catalog").post("/internal/reservations", {})

    assert (refused.value.status, refused.value.type, refused.value.problem) == (
        409,
        "out-of-stock",
        {"type": "out-of-stock", "short": []},
    )


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (503, b"<html>"),
        (429, {}),
        (200, b"<html>"),
        urllib3.exceptions.ReadTimeoutError(None, "", ""),  # type: ignore[arg-type]
        urllib3.exceptions.MaxRetryError(None, ""),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_no_usable_answer_means_that_the_sibling_is_down(answer: Any) -> None:
    with transport.override(Canned(answer)), pytest.raises(SiblingDown):
        Sibling("cart").get("/things")


def test_an_empty_answer_has_no_json() -> None:
    with transport.override(Canned((204, b""))):
        assert Sibling("cart").delete("/things/1") == Answer(204, None, {})


def test_after_some_failures_a_sibling_is_left_alone_for_a_while() -> None:
    canned = Canned((500, {}))
    cart = Sibling("cart")

    with transport.override(canned):
        for _ in range(FAILURES + 10):
            with pytest.raises(SiblingDown):
                cart.get("/things")

    assert len(canned.asked) == FAILURES


def test_refusals_are_no_failures() -> None:
    canned = Canned((404, {}))
    cart = Sibling("cart")

    with transport.override(canned):
        for _ in range(FAILURES + 10):
            with pytest.raises(Refused):
                cart.get("/things")

    assert len(canned.asked) == FAILURES + 10


class Flaky(BaseHTTPRequestHandler):
    """Hangs up on the first request to a path, answers the second."""

    seen: dict[str, int] = {}

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        times = self.seen[self.path] = self.seen.get(self.path, 0) + 1
        if times == 1:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = _answer  # the names that http.server looks for

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with transport.override(Pool()), override_settings(GATEWAY_URL=f"http://127.0.0.1:{server.server_port}"):
        yield "gateway"
    server.shutdown()
    server.server_close()


def test_a_lost_answer_to_a_query_is_asked_for_again(gateway: str) -> None:
    assert Sibling("cart").get("/lost-query").json == {}


def test_a_lost_answer_to_a_command_is_not_sent_again(gateway: str) -> None:
    with pytest.raises(SiblingDown):
        Sibling("cart").post("/lost-command", {})

    assert Flaky.seen["/api/cart/lost-command"] == 1


def test_a_lost_answer_to_a_safe_command_is_sent_again(gateway: str) -> None:
    assert Sibling("cart").post("/lost-safe-command", {}, safe=True).json == {}


def test_a_gateway_that_is_not_there_means_that_the_sibling_is_down() -> None:
    with (
        transport.override(Pool()),
        override_settings(GATEWAY_URL="http://127.0.0.1:9"),
        pytest.raises(SiblingDown),
    ):
        Sibling("cart").post("/things", {})
