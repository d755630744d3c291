"""A load of GETs that costs little itself: plain sockets, requests made beforehand."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list that is asked for: its kind, and the request as it is sent."""

    kind: str
    payload: bytes

    @classmethod
    def of(cls, kind: str, path: str, headers: Mapping[str, str]) -> ListRequest:
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return cls(kind, "\r\n".join([*lines, "", ""]).encode())


@dataclass(slots=True)
class LoadResult:
    """What a load saw: round trips in milliseconds, lists by kind, empty ones, which model answered."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    algorithms: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, answer: Mapping[str, Any], milliseconds: float) -> None:
        self.milliseconds.append(milliseconds)
        self.kinds[kind] += 1
        self.empty[kind] += not answer["results"]
        self.versions[str(answer["model"]["version"])] += 1
        self.algorithms[f"{kind}: {answer['model']['algorithm']}"] += 1


def send_requests(
    port: int, requests: Sequence[ListRequest], *, seconds: float, connections: int, rate: float = 0.0
) -> LoadResult:
    """Ask one after another over each connection, for so long.

    `rate` lists a second in all, 0 for as many as are answered. Raises RuntimeError for an answer that is no
    list.
    """
    result, lock, began = LoadResult(), threading.Lock(), time.perf_counter()
    number, failures = [0], list[str]()

    def worker() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not failures:
                with lock:
                    place = number[0]
                    number[0] += 1
                due = began + place / rate if rate else 0.0
                if max(time.perf_counter(), due) > began + seconds:
                    return
                time.sleep(max(0.0, due - time.perf_counter()))
                request = requests[place % len(requests)]
                sent = time.perf_counter()
                status, body = _exchange(line, request.payload)
                took = 1000 * (time.perf_counter() - sent)
                if status != 200:
                    failures.append(f"{request.payload[:200]!r} answered {status}: {body[:200]!r}")
                    return
                with lock:
                    result.add(request.kind, json.loads(body), took)

    threads = [threading.Thread(target=worker) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(failures[0])
    result.seconds = time.perf_counter() - began
    return result


def _exchange(line: socket.socket, request: bytes) -> tuple[int, bytes]:
    """Status and body; the service says how long its answers are."""
    line.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(line)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(one.partition(b":")[2]) for one in lines if one.startswith(b"content-length:"))
    while len(body) < length:
        body += _receive(line)
    return int(lines[0].split()[1]), body


def _receive(line: socket.socket) -> bytes:
    data = line.recv(1 << 16)
    if not data:
        raise RuntimeError("the service hung up")
    return data
