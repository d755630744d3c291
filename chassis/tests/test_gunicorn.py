"""The settings of the web servers."""

from __future__ import annotations

import io
import runpy
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from sample import container

import chassis
from chassis.background import Job

CONF = runpy.run_path(str(Path(chassis.__file__).with_name("gunicorn.conf.py")))


def test_a_body_that_nobody_read_is_taken_in_after_the_answer() -> None:
    body = io.BytesIO(bytes(10 << 20))

    CONF["post_request"](None, SimpleNamespace(body=body), {}, None)

    assert body.read() == b""


def test_an_endless_body_is_not() -> None:
    body = io.BytesIO(bytes(CONF["UNREAD"] + (1 << 20)))

    CONF["post_request"](None, SimpleNamespace(body=body), {}, None)

    assert body.read() != b""


def test_a_worker_does_its_replicas_jobs_only_when_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran = threading.Event()
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(container, "BACKGROUND", [Job("index", run=lambda stop: ran.set(), replica=True)])

    CONF["post_worker_init"](None)
    untold = ran.wait(0.2)
    monkeypatch.setenv("REPLICA_JOBS", "1")
    CONF["post_worker_init"](None)
    told = ran.wait(5)
    CONF["worker_exit"](None, None)

    assert (untold, told) == (False, True)
