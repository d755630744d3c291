"""Jobs over a real Valkey: what a web process sends, a Celery worker runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.test import override_settings

from chassis import jobs
from chassis.testing.valkey import valkey_server

HERE = Path(__file__).parent

pytestmark = pytest.mark.integration


def test_a_worker_runs_what_was_sent(tmp_path: Path) -> None:
    result = tmp_path / "result"
    with valkey_server() as url, override_settings(REDIS_URL=url):
        begin = time.monotonic()
        sent = jobs.Sender(jobs._redis_publish()).send("sample.write", (str(result), "done"), "catalog")
        took = time.monotonic() - begin

        env = os.environ | {"PYTHONPATH": str(HERE), "REDIS_URL": url}
        command = [sys.executable, "-m", "celery", "-A", "sample", "worker", "-Q", "catalog", "-P", "solo"]
        worker = subprocess.Popen(command, env=env, cwd=HERE, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            _until(lambda: result.exists() and result.read_text() == "done")
        finally:
            worker.terminate()
            worker.wait(15)
        with redis.Redis.from_url(url) as client:
            left = client.llen("catalog") + client.hlen("unacked")

    assert sent is True
    assert took < jobs.SEND_SECONDS
    assert left == 0


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not happen within 30 s"
        time.sleep(0.05)
