from __future__ import annotations

import json
import logging
import sys
import threading
import time

import pytest
from django.test import RequestFactory
from sample import container

from chassis.observability import context, health
from chassis.observability.logs import JsonLine, redact


def line(message: str, *args: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("chassis.test", logging.INFO, __file__, 1, message, args, None)
    record.__dict__.update(extra)
    written = JsonLine(service="catalog").format(record)
    assert "\n" not in written
    parsed: dict[str, object] = json.loads(written)
    return parsed


def test_a_log_line_is_json_with_service_level_and_request_id() -> None:
    with context.use("req-1"):
        written = line("hello %s", "there", status=200)

    at = str(written.pop("at"))
    assert written == {
        "message": "hello there",
        "level": "info",
        "logger": "chassis.test",
        "service": "catalog",
        "request_id": "req-1",
        "status": 200,
    }
    assert at.endswith("Z")


def test_line_breaks_of_a_caller_make_no_new_line() -> None:
    assert line("name: %s", 'x\n{"level": "error"}')["message"] == 'name: x\n{"level": "error"}'


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [hidden]"),
        ("got eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln here", "got [hidden] here"),
        ('{"password": "hunter2", "a": 1}', '{"password": "[hidden]", "a": 1}'),
        ("http://admin:pw@couch:5984/db", "http://admin:[hidden]@couch:5984/db"),
        ("card 4242 4242 4242 4242", "card [hidden]"),
        ("order HM-ABC123 of 1999 cents", "order HM-ABC123 of 1999 cents"),
    ],
)
def test_secrets_are_not_written(said: str, written: str) -> None:
    assert redact(said) == written


def test_fields_with_secret_names_are_hidden_at_any_depth() -> None:
    written = line("x", body={"email": "a@b.example", "card_number": "1", "inner": {"new_password": "p"}})

    assert written["body"] == {
        "email": "a@b.example",
        "card_number": "[hidden]",
        "inner": {"new_password": "[hidden]"},
    }


def test_a_traceback_is_in_the_line_without_its_secrets() -> None:
    try:
        raise RuntimeError("token=abc")
    except RuntimeError:
        written = line("failed", exc_info=sys.exc_info())

    assert "RuntimeError: token=[hidden]" in str(written["exc_info"])


def test_ready_names_the_parts_that_are_missing() -> None:
    def broken() -> None:
        raise OSError("no route")

    parts = {"couch": broken, "redis": lambda: None, "index": lambda: False}

    assert health.failing(parts) == ["couch", "index"]


def test_a_part_that_hangs_is_missing_in_time_and_is_looked_at_by_one_thread() -> None:
    go_on, looked = threading.Event(), []

    def hanging() -> None:
        looked.append(1)
        go_on.wait(5)

    parts = {"couch": hanging, "index": lambda: None}
    began = time.monotonic()
    found = [health.failing(parts, patience=0.1) for _ in range(3)]
    took = time.monotonic() - began
    go_on.set()

    assert (found, looked) == ([["couch"]] * 3, [1])
    assert took < 2
    assert health.failing(parts) == []


@pytest.mark.parametrize(
    ("missing", "status"),
    [([], "ok"), (["couch"], "degraded"), (["index"], "missing"), (["couch", "index"], "missing")],
)
def test_a_service_serves_without_its_spare_parts(missing: list[str], status: str) -> None:
    assert health.verdict(missing, spare={"couch"}) == status


def test_a_process_lives_once_it_was_ready_and_never_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    there: dict[str, bool] = {"index": False}
    monkeypatch.setattr(container, "READY", {"index": lambda: there["index"]}, raising=False)
    monkeypatch.setattr(health, "_was_ready", threading.Event())

    def lives() -> int:
        return health.livez(RequestFactory().get("/livez")).status_code

    before = lives()
    there["index"] = True
    ready = lives()
    there["index"] = False

    assert (before, ready, lives()) == (503, 200, 200)


@pytest.mark.parametrize("candidate", [None, "", "a b", "x" * 65, "a\n", "é"])
def test_only_a_request_id_of_the_right_shape_is_taken(candidate: str | None) -> None:
    assert context.accept(candidate) != candidate
    assert context.accept("abc-123") == "abc-123"
