"""`python -m local.bench.lists`: lists of recommendations over HTTP, from reco_svc's own web server.

A shop of made-up goods and shoppers (seed stated) is sent to reco_svc as the other services send it; it
trains on that, and answers lists of all four kinds: at a steady rate, for the service time, and as many as it
can. Service time is what gunicorn measures of each request. Ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import urllib3

from local.bench.figures import percentile
from local.bench.history import serve_history
from local.bench.load_credentials import service_keys, sign_in
from local.bench.load_lists import ListRequest, LoadResult, send_requests
from local.bench.service import Service
from local.bench.shoppers import SEED, TASTES, Shoppers, category

P95_MS, LISTS_A_SECOND = 5.0, 1000.0  # the targets
_MIX = {"similar": 10, "for-you": 5, "together": 3, "trending": 2}
_REQUESTS = 2000
_EVENTS_PER_REQUEST = 100
_TRAIN = """
import django; django.setup()
from reco.container import dependencies
trainings = dependencies().trainings
done = trainings.training_run(trainings.training_request(requested_by="bench").id)
assert done.promoted, (done.status, done.reason)
"""

Figures = dict[str, Any]


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that its processes end with it
    shoppers = Shoppers(events=arguments.events, products=arguments.products, people=arguments.people)
    with tempfile.TemporaryDirectory(prefix="hivemart-bench-") as name, serve_history(shoppers) as gateway:
        folder = Path(name)
        sign_in("reco", folder / "data")
        service = _service(folder, arguments, gateway)
        try:
            service.start()
            _fill(service, shoppers)
            _say("training")
            service.run("the training", "-c", _TRAIN, seconds=3600)
            figures = _measure(service, shoppers, arguments)
        finally:
            service.stop()
    _print_report(figures)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=2) + "\n")
    return int(not figures["targets_met"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--cores", type=int, default=2, help="for the service and its database together")
    parser.add_argument("--workers", type=int, default=2, help="processes of the web server")
    parser.add_argument("--rate", type=float, default=100.0, help="lists a second while service time is read")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of the two loads")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--json", default="", help="file for the figures")
    return parser.parse_args()


def _service(folder: Path, arguments: argparse.Namespace, gateway: str) -> Service:
    log = ("--access-logfile", str(folder / "access.log"), "--access-logformat", "%(D)s %(U)s")
    env = {
        "GATEWAY_URL": gateway,
        "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody is there: the training is run by hand
        "WEB_WORKERS": str(arguments.workers),
        **service_keys("reco", "catalog"),
    }
    return Service("reco", folder, arguments.cores, env=env, options=log)


def _fill(service: Service, shoppers: Shoppers) -> None:
    """Send every product as an event, as catalog_svc does."""
    from chassis.testing.identity import service_headers

    pool = urllib3.PoolManager(maxsize=4, retries=False, timeout=120)

    def send_products(start: int) -> None:
        events = [
            shoppers.product_event(number)
            for number in range(start, min(start + _EVENTS_PER_REQUEST, shoppers.products))
        ]
        headers = {"Content-Type": "application/json", **service_headers("catalog", "reco")}
        url = f"{service.url}/internal/events"
        answer = pool.request("POST", url, body=json.dumps(events), headers=headers)
        if answer.status != 200 or any(each["status"] != "done" for each in answer.json()["results"]):
            raise RuntimeError(f"events were answered {answer.status}: {answer.data[:300]!r}")

    _say(f"sending {shoppers.products:,} products")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(send_products, range(0, shoppers.products, _EVENTS_PER_REQUEST)))


def _make_requests(shoppers: Shoppers) -> list[ListRequest]:
    """Return products that shoppers look at, in the order of a fixed draw.

    Personal lists are asked for with an account's token.
    """
    rng = random.Random(SEED)  # noqa: S311 - the same requests every time
    kinds = rng.choices(list(_MIX), list(_MIX.values()), k=_REQUESTS)
    return [_make_request(kind, rng, shoppers) for kind in kinds]


def _make_request(kind: str, rng: random.Random, shoppers: Shoppers) -> ListRequest:
    from chassis.testing.identity import bearer

    some = [rng.randrange(len(shoppers)) for _ in range(3)]
    products = [shoppers.product_id(place) for place in some]
    path = {
        "similar": f"similar/{products[0]}?",
        "together": f"together?ids={','.join(products)}&",
        "for-you": "for-you?",
        "trending": f"trending?category={category(rng.randrange(TASTES))}&",
    }[kind]
    headers = bearer(sub=shoppers.account_id(some[0]), seconds=86_400) if kind == "for-you" else {}
    return ListRequest.of(kind, f"/api/reco/{path}limit=12", headers)


def _measure(service: Service, shoppers: Shoppers, arguments: argparse.Namespace) -> Figures:
    requests = _make_requests(shoppers)
    _warm(service, requests, arguments.connections)
    access, seconds = service.log.parent / "access.log", arguments.seconds
    _say("requesting at a steady rate, then as many as possible")
    steady_log, cpu = _AccessLog(access), service.cpu_seconds()
    steady = send_requests(service.port, requests, seconds=seconds, connections=4, rate=arguments.rate)
    steady_cpu = service.cpu_seconds() - cpu
    steady_times = steady_log.read()
    service.restart_web()  # as it is in production: without a log that has the times
    _warm(service, requests, arguments.connections)
    cpu = service.cpu_seconds()
    peak = send_requests(service.port, requests, seconds=seconds, connections=arguments.connections)
    peak_cpu = service.cpu_seconds() - cpu
    measured = {
        "setting": _setting(arguments),
        "steady": {"rate": arguments.rate, **_times(steady_times), **_figures(steady, steady_cpu)},
        "most": {"connections": arguments.connections, **_figures(peak, peak_cpu)},
    }
    p95, lists = measured["steady"]["service_ms"]["p95"], measured["most"]["lists_per_s"]
    targets = {"service_p95_ms": P95_MS, "lists_per_s": LISTS_A_SECOND}
    return {**measured, "targets": targets, "targets_met": p95 <= P95_MS and lists >= LISTS_A_SECOND}


def _setting(arguments: argparse.Namespace) -> Figures:
    names = ("events", "products", "people", "cores", "workers", "seconds")
    return {
        **{name: getattr(arguments, name) for name in names},
        "seed": SEED,
        "mix": _MIX,
        "cpus": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _times(by_list: dict[str, list[float]]) -> Figures:
    every = [one for each in by_list.values() for one in each]
    return {
        "service_ms": _percentiles(every),
        "service_ms_by_list": {kind: _percentiles(each) for kind, each in sorted(by_list.items())},
    }


def _figures(result: LoadResult, cpu: float) -> Figures:
    """Of one load; CPU is of the web server's processes, not of the load itself, which has the same cores."""
    lists = len(result.milliseconds)
    return {
        "lists": lists,
        "lists_per_s": round(lists / result.seconds, 1),
        "round_trip_ms": _percentiles(result.milliseconds),
        "cpu_ms_per_list": round(1000 * cpu / lists, 3),
        "lists_per_cpu_s": round(lists / cpu, 1),
        "empty": dict(result.empty),
        "algorithms": dict(result.algorithms),
    }


def _percentiles(milliseconds: list[float]) -> dict[str, float]:
    return {f"p{share}": round(percentile(milliseconds, share / 100), 3) for share in (50, 95, 99)}


def _warm(service: Service, requests: list[ListRequest], connections: int) -> None:
    """Until every answer is of the trained model: each worker loads it as it is asked."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        seen = send_requests(service.port, requests, seconds=2.5, connections=connections, rate=50)
        if list(seen.versions) != ["None"] and len(seen.versions) == 1:
            return
    raise RuntimeError(f"the trained model does not serve:\n{service.log.read_text()[-2000:]}")


class _AccessLog:
    """What gunicorn writes of each request from now on."""

    def __init__(self, path: Path) -> None:
        self._path, self._start = path, path.stat().st_size

    def read(self) -> dict[str, list[float]]:
        """Service times in milliseconds by kind of list."""
        found: dict[str, list[float]] = {}
        for kind, milliseconds in self._lines():
            found.setdefault(kind, []).append(milliseconds)
        return found

    def _lines(self) -> Iterator[tuple[str, float]]:
        with self._path.open() as lines:
            lines.seek(self._start)
            for line in lines:
                microseconds, _, path = line.strip().partition(" ")
                if path.startswith("/api/reco/"):
                    yield path.split("/")[3], int(microseconds) / 1000


def _print_report(figures: Figures) -> None:
    steady, peak = figures["steady"], figures["most"]
    rows = {
        f"service time at {steady['rate']:.0f} lists a second, p95": f"{steady['service_ms']['p95']:.2f} ms",
        **{
            f"the same, {kind}": f"{each['p95']:.2f} ms"
            for kind, each in steady["service_ms_by_list"].items()
        },
        "lists a second, at most": f"{peak['lists_per_s']:,.0f}",
        "CPU of the web processes a list": f"{peak['cpu_ms_per_list']:.2f} ms",
    }
    for name, value in rows.items():
        _say(f"| {name} | {value} |")
    _say("targets met" if figures["targets_met"] else f"MISSED: {json.dumps(figures['targets'])}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
