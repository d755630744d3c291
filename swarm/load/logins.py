"""The seed's scenario as Locust users: calm, then a flood of log-ins, then calm again.

SPIKE_CALM, SPIKE_FLOOD: log-ins per second of either; SPIKE_BEFORE, SPIKE_SECONDS, SPIKE_AFTER: seconds.
SPIKE_PHASES: a file that gets a line `before|flood|after <Unix time>` as each begins.

A log-in with an account that nobody has costs as much as any other (docs/architecture.md), so none is needed.
The gateway limits log-ins per address: deploy with a high AUTH_RATE to let the flood through to the service.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import urllib3
from locust import HttpUser, LoadTestShape, constant_throughput, task

urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


class Caller(HttpUser):
    """One log-in a second."""

    wait_time = constant_throughput(1)

    def on_start(self) -> None:
        self.client.verify = False

    @task
    def log_in(self) -> None:
        """401 is the right answer; 429 is the gateway's limit, and said as such."""
        number = random.randrange(100_000)  # noqa: S311 -- load, not secrets
        body = {"email": f"nobody{number}@example.com", "password": "not the password"}
        with self.client.post(
            "/api/auth/token", json=body, name="log in", timeout=10, catch_response=True
        ) as answer:
            if answer.status_code == 401:
                answer.success()
            else:
                answer.failure(
                    "limited by the gateway" if answer.status_code == 429 else str(answer.status_code)
                )


class Flood(LoadTestShape):
    """Users over time; each is one request a second."""

    phase = ""

    def tick(self) -> tuple[int, float] | None:
        calm, flood = _number("SPIKE_CALM", 2), _number("SPIKE_FLOOD", 30)
        begin = _number("SPIKE_BEFORE", 30)
        end = begin + _number("SPIKE_SECONDS", 90)
        now = self.get_run_time()
        if now > end + _number("SPIKE_AFTER", 60):
            return None
        self._enter("before" if now < begin else "flood" if now < end else "after")
        return flood if self.phase == "flood" else calm, float(flood)

    def _enter(self, phase: str) -> None:
        if phase != self.phase and (path := os.environ.get("SPIKE_PHASES")):
            with Path(path).open("a") as lines:
                lines.write(f"{phase} {time.time()}\n")
        self.phase = phase
