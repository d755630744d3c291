"""Requests per service and route group, as nginx saw them: `python -m gateway.figures /dev/shm/figures.log`.

Settings from the environment: FIGURES_LISTEN, host:port to answer on (0.0.0.0:9101).

nginx writes two lines per request into a file in memory, buffered: one when the request is about to go to a
service (a mirrored subrequest that answers itself), one when it is done. What was written is read here and
its pages given back (`fallocate`), so that the file stays small and nginx needs no signal.
`docs/autoscaling.md` has what this costs the hot path, and what the other ways cost.

GET /metrics answers in the Prometheus text format. Demand of a service in an interval is what it was sent:
the growth of `requests_total` plus the growth of `in_flight`. Answers of the cache and of nginx itself are
not in either, for they cost the service nothing. Standard library only: it runs in any image.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

POLL_SECONDS = 0.25  # between two reads of the file
LOST_AFTER_SECONDS = 120.0  # after which a request without an end was lost with its worker
MAX_OPEN = 50_000
MAX_ROUTES = 40  # per service; whatever comes later is counted as "other"
MAX_SERVICES = 24
BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: Parts of paths that are names of routes; every other part is somebody's id and becomes a star.
_ROUTE_NAMES_TEXT = """
.well-known account add addresses adjustments admin audit auth c cancel cart carts categories change checkout
claim commit consent coupon deliver docs email erase events export for-you forgot fragments funnel header
images imports internal jwks.json lines login logout logs me merge now orders p password payment-methods
payments privacy product products quotes reco refresh refunds register release reservations reset restore
reviews revoke save saved schema search searches sessions settle shipments shipping-methods signin signout
signup similar skus static stats stock suggest summary test-payments timeseries together token top-products
trainings trending unclaim verify webhooks widgets
"""
ROUTE_NAMES = frozenset(_ROUTE_NAMES_TEXT.split())


class Group(NamedTuple):
    """Requests that cost about the same."""

    listener: str
    service: str
    route: str


@lru_cache(maxsize=4096)
def group_of(listener: str, method: str, path: str) -> Group:
    """Return the group of a request: its service, and the method with the names in the path's first parts."""
    parts = path.strip("/").split("/")
    service, rest = "storefront", parts
    if parts[0] in ("api", "admin") and len(parts) > 1:
        service, rest = parts[1], [*(["admin"] if parts[0] == "admin" else []), *parts[2:]]
    elif parts[0] in ("media", "mail", "healthz"):
        service, rest = parts[0], []
    names = "/".join(part if part in ROUTE_NAMES else "*" for part in rest[:4] if part)
    return Group(listener, service, f"{method if method in METHODS else 'other'} /{names}")


def _seconds(text: str) -> float | None:
    """nginx's `0.012` or, tried twice, `0.003, 0.020` as one number; None for `-`: not sent to a service."""
    numbers = [float(part) for part in text.replace(":", ",").split(",") if part.strip() not in ("", "-")]
    return sum(numbers) if numbers else None


class RequestFigures:
    """Counters, fed by lines of nginx's log. All methods may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, tuple[Group, float]] = {}
        self._routes: dict[str, set[str]] = {}
        self.started = clock()
        self.requests: Counter[Group] = Counter()
        self.errors: Counter[Group] = Counter()
        self.upstream: defaultdict[Group, float] = defaultdict(float)
        self.answers: Counter[tuple[str, str, str]] = Counter()
        self.seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.buckets: Counter[tuple[str, str, float]] = Counter()
        self.bad_lines = 0

    def feed(self, lines: Iterable[str]) -> None:
        """Take in whole lines; one that cannot be understood is counted and left out."""
        with self._lock:
            for line in lines:
                try:
                    self._read_line(line)
                except (ValueError, IndexError):
                    self.bad_lines += 1
            self._drop_lost()

    def _read_line(self, line: str) -> None:
        kind, listener, key, rest = line.split(" ", 3)
        if kind == "a":
            method, path = rest.split(" ", 1)
            self._open.setdefault(
                key, (self._limit_cardinality(group_of(listener, method, path)), self._clock())
            )
        elif kind == "d":
            self._finish(listener, key, rest)
        else:
            raise ValueError(line)

    def _finish(self, listener: str, key: str, rest: str) -> None:
        status, seconds, method, path, upstream = rest.split(" ", 4)
        opened = self._open.pop(key, None)
        group = opened[0] if opened else self._limit_cardinality(group_of(listener, method, path))
        key_prefix = (group.listener, group.service)
        self.answers[*key_prefix, f"{status[0]}xx"] += 1
        took = _seconds(upstream)
        if took is None:
            return
        self.requests[group] += 1
        self.upstream[group] += took
        self.errors[group] += status[0] == "5" or status == "499"
        self.seconds[key_prefix] += float(seconds)
        self.buckets[
            *key_prefix, next((limit for limit in BUCKETS if float(seconds) <= limit), float("inf"))
        ] += 1

    def _limit_cardinality(self, group: Group) -> Group:
        """Return the group, or "other" beyond the limits: clients choose the paths, not the memory."""
        service = group.service
        if service not in self._routes and len(self._routes) >= MAX_SERVICES:
            service = "other"
        routes = self._routes.setdefault(service, set())
        route = group.route if group.route in routes or len(routes) < MAX_ROUTES else "other"
        routes.add(route)
        return Group(group.listener, service, route)

    def _drop_lost(self) -> None:
        """Forget ends that were lost with a killed worker: they must not look like load for ever."""
        since = self._clock() - LOST_AFTER_SECONDS
        while self._open:
            key, (_, arrived) = next(iter(self._open.items()))
            if arrived > since and len(self._open) <= MAX_OPEN:
                return
            del self._open[key]

    def exposition(self) -> str:
        """All of it in the Prometheus text format."""
        with self._lock:
            return "\n".join(self._families()) + "\n"

    def _families(self) -> Iterator[str]:
        in_flight = Counter(group for group, _ in self._open.values())
        groups = dict.fromkeys([*self.requests, *in_flight])
        yield from _family("timestamp_seconds", "gauge", [("", self._clock())])
        yield from _family("start_time_seconds", "gauge", [("", self.started)])
        yield from _family("bad_lines_total", "counter", [("", self.bad_lines)])
        for name, kind, values in (
            ("requests_total", "counter", self.requests),
            ("errors_total", "counter", self.errors),
            ("upstream_seconds_total", "counter", self.upstream),
            ("in_flight", "gauge", in_flight),
        ):
            yield from _family(name, kind, [(_labels(group), values.get(group, 0)) for group in groups])
        yield from _family(
            "answers_total",
            "counter",
            [(_labels(key[:2], f',code="{key[2]}"'), n) for key, n in self.answers.items()],
        )
        yield from self._histogram()

    def _histogram(self) -> Iterator[str]:
        rows: list[tuple[str, float]] = []
        for key_prefix, total in self.seconds.items():
            below = 0
            for limit in (*BUCKETS, float("inf")):
                below += self.buckets[*key_prefix, limit]
                edge = "+Inf" if limit == float("inf") else str(limit)
                rows.append(("_bucket" + _labels(key_prefix, f',le="{edge}"'), below))
            rows += [("_sum" + _labels(key_prefix), total), ("_count" + _labels(key_prefix), below)]
        yield from _family("request_seconds", "histogram", rows)


def _labels(values: tuple[str, ...], more: str = "") -> str:
    pairs = zip(("listener", "service", "route"), values, strict=False)
    return "{" + ",".join(f'{name}="{value}"' for name, value in pairs) + more + "}"


def _family(name: str, kind: str, rows: Iterable[tuple[str, float]]) -> Iterator[str]:
    yield f"# TYPE hivemart_gateway_{name} {kind}"
    for rest, value in rows:
        yield f"hivemart_gateway_{name}{rest} {round(value, 6)}"


class FileFollower:
    """Reads what is appended to a file, from its end on, and gives back the pages that were read."""

    PUNCH_HOLE = 0x03  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE: linux/falloc.h
    READ_BYTES = 1 << 20

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._at = os.fstat(self._file).st_size
        self._rest = b""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        self._punch_hole(self._at)

    def lines(self) -> Iterator[str]:
        """Return the lines that are new and whole."""
        before = self._at
        while data := os.pread(self._file, self.READ_BYTES, self._at):
            self._at += len(data)
            *whole, self._rest = (self._rest + data).split(b"\n")
            yield from (line.decode("ascii", "replace") for line in whole)
        if self._at != before:
            self._punch_hole(self._at)

    def _punch_hole(self, upto: int) -> None:
        """Free the pages up to here: nginx goes on appending at the end, and no line is lost between."""
        if upto:
            self._libc.fallocate(self._file, self.PUNCH_HOLE, 0, upto)

    def close(self) -> None:
        os.close(self._file)


class Handler(BaseHTTPRequestHandler):
    """Answers GET /metrics, and / as a check that this runs."""

    server: Server
    timeout = 5

    def do_GET(self) -> None:
        """Answer with what is known now."""
        known = self.path in ("/metrics", "/")
        body = self.server.metrics().encode() if known else b"not found\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: this is asked every two seconds."""


class Server(ThreadingHTTPServer):
    """Follows the file while it serves."""

    daemon_threads = True

    def __init__(self, listen: tuple[str, int], path: Path) -> None:
        super().__init__(listen, Handler)
        self.figures, self._follower = RequestFigures(), FileFollower(path)
        self._read_lock = threading.Lock()

    def metrics(self) -> str:
        self.service_actions()
        return self.figures.exposition()

    def service_actions(self) -> None:
        with self._read_lock:
            self.figures.feed(self._follower.lines())

    def server_close(self) -> None:
        super().server_close()
        self._follower.close()


def main() -> None:
    host, _, port = os.environ.get("FIGURES_LISTEN", "0.0.0.0:9101").rpartition(":")
    server = Server((host.strip("[]"), int(port)), Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=POLL_SECONDS)
    server.server_close()


if __name__ == "__main__":
    main()
