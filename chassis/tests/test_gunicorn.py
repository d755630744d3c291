"""The settings of the web servers."""

from __future__ import annotations

import io
import runpy
from pathlib import Path
from types import SimpleNamespace

import chassis

CONF = runpy.run_path(str(Path(chassis.__file__).with_name("gunicorn.conf.py")))


def test_a_body_that_nobody_read_is_taken_in_after_the_answer() -> None:
    body = io.BytesIO(bytes(10 << 20))

    CONF["post_request"](None, SimpleNamespace(body=body), {}, None)

    assert body.read() == b""


def test_an_endless_body_is_not() -> None:
    body = io.BytesIO(bytes(CONF["UNREAD"] + (1 << 20)))

    CONF["post_request"](None, SimpleNamespace(body=body), {}, None)

    assert body.read() != b""
