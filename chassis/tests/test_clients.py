from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import urllib3
from django.test import override_settings

from chassis.clients import Answer, Refused, ServiceClient, ServiceUnavailable, Throttled
from chassis.clients.client import FAILURES, Pool, retry_after, transport
from chassis.identity import tokens
from chassis.observability import context


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
        answer = ServiceClient("cart").get("/products", {"ids": "a,b", "cursor": None})

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
        ServiceClient("cart").post("/internal/carts/1/claim", {"a": "é"}, user_token="T", safe=True)

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
    cart = ServiceClient("cart")

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
        ServiceClient("cart").post("/lines", {}, **extra)

    assert canned.asked[0]["retry"] is retry


def test_a_refusal_carries_its_problem() -> None:
    canned = Canned((409, {"type": "out-of-stock", "short": []}))

    with transport.override(canned), pytest.raises(Refused) as refused:
        ServiceClient("catalog").post("/internal/reservations", {})

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
    with transport.override(Canned(answer)), pytest.raises(ServiceUnavailable):
        ServiceClient("cart").get("/things")


def test_an_empty_answer_has_no_json() -> None:
    with transport.override(Canned((204, b""))):
        assert ServiceClient("cart").delete("/things/1") == Answer(204, None, {})


@pytest.mark.parametrize(
    "answer",
    [
        (502, {}),
        (504, b"<html>"),
        urllib3.exceptions.ReadTimeoutError(None, "", ""),  # type: ignore[arg-type]
        urllib3.exceptions.MaxRetryError(None, ""),  # type: ignore[arg-type]
        urllib3.exceptions.ProtocolError("reset"),
    ],
    ids=repr,
)
def test_a_sibling_that_is_gone_is_left_alone_for_a_while(answer: Any) -> None:
    canned = Canned(answer)
    cart = ServiceClient("cart")

    with transport.override(canned):
        for _ in range(FAILURES + 10):
            with pytest.raises(ServiceUnavailable):
                cart.get("/things")

    assert len(canned.asked) == FAILURES


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ((401, {}), Refused),
        ((404, {}), Refused),
        ((429, {}), Throttled),
        ((503, {}), ServiceUnavailable),
        ((500, {}), ServiceUnavailable),
        ((200, b"<html>"), ServiceUnavailable),
        (UnicodeEncodeError("latin-1", "é", 0, 1, "a header of one caller"), UnicodeEncodeError),
    ],
    ids=repr,
)
def test_what_one_caller_is_told_cuts_off_nobody_else(answer: Any, raised: type[Exception]) -> None:
    canned = Canned(answer)
    cart = ServiceClient("cart")

    with transport.override(canned):
        for _ in range(FAILURES + 10):
            with pytest.raises(raised):
                cart.get("/things")

    assert len(canned.asked) == FAILURES + 10


class Flaky(BaseHTTPRequestHandler):
    """Hangs up on the first request to a path, answers the second; `/say-429` is always that, politely."""

    seen: dict[str, int] = {}

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        times = self.seen[self.path] = self.seen.get(self.path, 0) + 1
        wanted = re.search(r"/say-(\d+)", self.path)
        if wanted:
            self.send_response(int(wanted[1]))
            self.send_header("Retry-After", "3")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return
        if times == 1:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = _answer  # the names that http.server looks for
    do_PATCH = do_DELETE = _answer  # noqa: N815 - likewise

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
    assert ServiceClient("cart").get("/lost-query").json == {}


def test_a_lost_answer_to_a_command_is_not_sent_again(gateway: str) -> None:
    with pytest.raises(ServiceUnavailable):
        ServiceClient("cart").post("/lost-command", {})

    assert Flaky.seen["/api/cart/lost-command"] == 1


def test_a_lost_answer_to_a_safe_command_is_sent_again(gateway: str) -> None:
    assert ServiceClient("cart").post("/lost-safe-command", {}, safe=True).json == {}


@pytest.mark.parametrize("call", ["get", "post", "patch", "delete", "safe post"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_time_to_wait_is_passed_on_and_never_waited_for_here(gateway: str, status: int, call: str) -> None:
    cart, path = ServiceClient("cart"), f"/say-{status}/{call.replace(' ', '-')}"
    more: dict[str, Any] = {"safe": True} if call == "safe post" else {}
    began = time.monotonic()

    for _ in range(FAILURES + 1):
        with pytest.raises(ServiceUnavailable) as told:
            getattr(cart, call.rsplit(maxsplit=1)[-1])(path, **more)
        assert (told.value.status, told.value.retry_after) == (status, 3.0)

    assert isinstance(told.value, Throttled) is (status == 429)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "³"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_time_to_wait_is_read_from_the_header(header: dict[str, str], seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_a_gateway_that_is_not_there_means_that_the_sibling_is_down() -> None:
    with (
        transport.override(Pool()),
        override_settings(GATEWAY_URL="http://127.0.0.1:9"),
        pytest.raises(ServiceUnavailable),
    ):
        ServiceClient("cart").post("/things", {})
