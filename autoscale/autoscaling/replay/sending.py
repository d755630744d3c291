"""Requests at the moments that a trace wants, whatever became of those before (an open loop)."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from autoscaling.replay.bounds import MOST_IN_FLIGHT
from autoscaling.simulator.traces import BIN, Trace

PATIENCE = 10.0  # seconds for an answer
_FROM_CACHE = ([b"x-cache:", b"hit"], [b"x-cache:", b"stale"], [b"x-cache:", b"updating"])
SLOW = 0.5  # seconds; design/autoscaler.md


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: bytes = b""

    def over(self, host: str, number: int = 0) -> bytes:
        """Send one request on a connection of its own: a kept one would stay with its first replica.

        `{n}` in the path is the request's number, so that no cache can answer it.
        """
        path = self.path.replace("{n}", str(number))
        head = [f"{self.method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", "Accept: */*"]
        if self.body:
            head += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*head, "", ""]).encode() + self.body


@dataclass(slots=True)
class Seen:
    """By the second of a request's due time; `refused` of all."""

    total: NDArray[np.int64]
    bad: NDArray[np.int64]
    refused: int = 0
    latencies: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, seconds: float) -> Seen:
        return cls(np.zeros(int(seconds) + 1, np.int64), np.zeros(int(seconds) + 1, np.int64))

    def take(self, due: float, took: float, status: int) -> None:
        """status: 0 for no answer. Slow, failed and throttled requests are bad."""
        place = min(int(due), len(self.total) - 1)
        failed = status == 0 or status >= 500 or status == 429
        self.total[place] += 1
        self.bad[place] += failed or took > SLOW
        self.refused += failed
        if not failed:
            self.latencies.append(took)


def moments(trace: Trace, seed: int) -> Iterator[float]:
    """When requests are due: a Poisson process with the trace's rate."""
    dice = random.Random(seed)  # noqa: S311 -- the same load in every run
    at, left = 0.0, dice.expovariate(1.0)
    for rate in trace.rate:
        end, now = at + BIN, at
        while rate > 0 and (step := left / rate) <= end - now:
            now += step
            yield now
            left = dice.expovariate(1.0)
        left -= max(0.0, end - now) * rate
        at = end


class Sender:
    def __init__(self, url: str, request: Request) -> None:
        parts = urlsplit(url)
        self._host, self._secure = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._request, self._netloc = request, parts.netloc
        self._numbers = count(1_000_000 + int(time.time()) % 100_000)  # others than of a replay a moment ago
        self._context = _unverified() if self._secure else None
        self._flying = 0
        self.cached = 0
        """Answers that said that they came from the gateway's cache."""

    async def first(self) -> int:
        """Return the status of one request before the others. Raises OSError when nothing answers."""
        try:
            return await asyncio.wait_for(self._ask(), PATIENCE)
        except (ValueError, IndexError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise OSError(str(error) or "no answer in time") from error

    async def run(self, trace: Trace, seed: int, seen: Seen) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        tasks: set[asyncio.Task[None]] = set()
        for due in moments(trace, seed):
            if (wait := began + due - loop.time()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._one(began, due, seen))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        rest = began + trace.seconds - loop.time()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE + max(0.0, rest))
        await asyncio.sleep(max(0.0, began + trace.seconds - loop.time()))

    async def _one(self, began: float, due: float, seen: Seen) -> None:
        """Its time counts from when it was due, not from when it got its turn."""
        status = 0
        if self._flying < MOST_IN_FLIGHT:
            self._flying += 1
            try:
                status = await asyncio.wait_for(self._ask(), PATIENCE)
            except (OSError, ValueError, IndexError, TimeoutError, asyncio.IncompleteReadError):
                status = 0
            finally:
                self._flying -= 1
        seen.take(due, asyncio.get_running_loop().time() - began - due, status)

    async def _ask(self) -> int:
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._context)
        try:
            writer.write(self._request.over(self._netloc, next(self._numbers)))
            status = int((await reader.readline()).split()[1])
            while (line := await reader.readline()).strip():
                self.cached += line.lower().split() in _FROM_CACHE
            while await reader.read(1 << 16):
                pass
            return status
        finally:
            writer.close()


def _unverified() -> ssl.SSLContext:
    """Return a TLS context that trusts anybody, made once: it costs more CPU than a request.

    A shop without a certificate of its own signs one itself; this talks to this machine only.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
