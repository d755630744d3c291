"""`python -m local.bench.hostile`: what the worst bodies within the limits cost each service.

Sends them to every operation with a body that the services' OpenAPI documents name, as an administrator and
through the gateway, and reads CPU time and memory of the service's own web process. Ends with 1 when a target
is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import urllib3

from local.bench import hostile_bodies
from local.bench.shop import running

SERVICES = ("auth", "catalog", "cart", "checkout", "logs", "reco")
MAX_CPU_MS, MAX_PEAK_MB, MAX_KEPT_MB = 50.0, 20.0, 5.0  # the targets, for one request
REPEATS = 3  # of each; other work of the machine only adds, so the least counts
_FORMS = ("/signin", "/signup", "/cart/add", "/checkout", "/fragments/summary")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One hostile request. `url` is a path with its query."""

    name: str
    method: str
    url: str
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request cost the web process: CPU in ms, memory in MB at its peak and left behind."""

    service: str
    request: Request
    status: int
    answer_bytes: int
    cpu_ms: float
    peak_mb: float
    kept_mb: float

    def within_targets(self) -> bool:
        cheap = self.cpu_ms <= MAX_CPU_MS and self.peak_mb <= MAX_PEAK_MB and self.kept_mb <= MAX_KEPT_MB
        return cheap and 0 < self.status < 500


class Meter:
    """Reads a process: CPU time of all its threads, its memory and the peak of that (Linux)."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self._clock = ~pid << 3 | 2  # clock_getcpuclockid(3)

    def cpu_ms(self) -> float:
        return time.clock_gettime_ns(self._clock) / 1e6

    def forget_peak(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    def peak_mb(self) -> float:
        return self._status("VmHWM")

    def memory_mb(self) -> float:
        return self._status("VmRSS")

    def _status(self, name: str) -> float:
        lines = (self._folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def measure(url: str, pids: Mapping[str, int], token: str) -> Iterator[Cost]:
    """Yield the cost of each hostile request; `pids` are the web servers' masters, by service."""
    pool = urllib3.PoolManager(timeout=60.0, retries=False)
    for service in SERVICES:
        meter = Meter(worker_of(pids[service]))
        found = list(_requests(service, _document(pool, url, service)))
        yield from _costs(pool, url, service, meter, found, {"Authorization": f"Bearer {token}"})
    meter = Meter(worker_of(pids["storefront"]))
    yield from _costs(pool, url, "storefront", meter, list(_pages()), {"Origin": url})


def _costs(
    pool: urllib3.PoolManager,
    url: str,
    service: str,
    meter: Meter,
    requests: list[Request],
    headers: Mapping[str, str],
) -> Iterator[Cost]:
    for request in {(each.method, each.url): each for each in requests}.values():
        _send(pool, url, request, headers)  # what the first of a kind loads stays for good
    for request in requests:
        costs = [_cost(pool, url, service, meter, request, headers) for _ in range(REPEATS)]
        kept = min(cost.kept_mb for cost in costs)
        cheapest = min(costs, key=lambda cost: cost.cpu_ms)
        peak = min(cost.peak_mb for cost in costs)
        yield Cost(service, request, cheapest.status, cheapest.answer_bytes, cheapest.cpu_ms, peak, kept)


def _cost(
    pool: urllib3.PoolManager,
    url: str,
    service: str,
    meter: Meter,
    request: Request,
    headers: Mapping[str, str],
) -> Cost:
    meter.forget_peak()
    memory, cpu = meter.memory_mb(), meter.cpu_ms()
    status, size = _send(pool, url, request, headers)
    return Cost(
        service,
        request,
        status,
        size,
        meter.cpu_ms() - cpu,
        meter.peak_mb() - memory,
        meter.memory_mb() - memory,
    )


def _send(
    pool: urllib3.PoolManager, url: str, request: Request, headers: Mapping[str, str]
) -> tuple[int, int]:
    sent = {"Content-Type": request.content_type, "Idempotency-Key": str(uuid.uuid4()), "If-Match": '"0"'}
    for _ in range(2):  # a connection that was kept may just have been closed by the gateway
        with contextlib.suppress(urllib3.exceptions.ProtocolError):
            answer = pool.request(
                *(request.method, url + request.url),
                body=request.body,
                headers={**sent, **headers},
                redirect=False,
            )
            return answer.status, len(answer.data)
    return 0, 0


def worker_of(master: int) -> int:
    """Return the process that answers: gunicorn's master only starts it."""
    children = psutil.Process(master).children()
    return children[0].pid if children else master


def _document(pool: urllib3.PoolManager, url: str, service: str) -> Document:
    answer = pool.request("GET", f"{url}/api/{service}/schema", headers={"Accept": "application/json"})
    if answer.status != 200:
        raise RuntimeError(f"{service} serves no OpenAPI document: {answer.status}")
    return dict(json.loads(answer.data))


def _requests(service: str, document: Document) -> Iterator[Request]:
    for path, operations in document["paths"].items():
        url = re.sub(r"\{[^}]+\}", "nothing-here", path)
        for method, operation in operations.items():
            if method == "get":
                for name, query in hostile_bodies.queries():
                    yield Request(name, "GET", f"{url}?{query}")
            elif "application/json" in operation.get("requestBody", {}).get("content", {}):
                for name, body in hostile_bodies.bodies(_fields(document, operation)):
                    yield Request(name, method.upper(), url, body)


def _fields(document: Document, operation: Document) -> Mapping[str, Any]:
    """Return the properties of the body, or of the objects in it where it is an array."""
    shape = operation["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in shape or shape.get("type") == "array":
        shape = shape["items"] if "$ref" not in shape else _component(document, shape["$ref"])
    fields: Mapping[str, Any] = shape.get("properties", {})
    return fields


def _component(document: Document, reference: str) -> Document:
    return dict(document["components"]["schemas"][reference.rsplit("/", 1)[1]])


def _pages() -> Iterator[Request]:
    for name, body in hostile_bodies.bodies({"type": {}, "data": {}}):
        yield Request(name, "POST", "/events", body)
    for url in _FORMS:
        for name, body in hostile_bodies.forms():
            yield Request(name, "POST", url, body, "application/x-www-form-urlencoded")
    for name, query in hostile_bodies.queries():
        yield Request(name, "GET", f"/search?{query}")


def table(costs: list[Cost]) -> str:
    """Return the worst of each service, as rows of docs/benchmarks.md."""
    rows = [
        "| service | requests | CPU, ms | peak, MB | kept, MB | answer, kB | missed |",
        "|---|---|---|---|---|---|---|",
    ]
    for service in (*SERVICES, "storefront"):
        mine = [cost for cost in costs if cost.service == service]
        worst = [max(getattr(cost, name) for cost in mine) for name in ("cpu_ms", "peak_mb", "kept_mb")]
        cells = " | ".join(f"{value:.1f}" for value in worst)
        answer = max(cost.answer_bytes for cost in mine) / 1024
        missed = sum(not cost.within_targets() for cost in mine)
        rows.append(f"| {service} | {len(mine)} | {cells} | {answer:.1f} | {missed} |")
    return "\n".join(rows)


def missed(costs: list[Cost]) -> list[str]:
    """Return a line for each request that cost more than the targets allow, or broke something."""
    return [
        f"{cost.service} {cost.request.method} {cost.request.url[:60]}, {cost.request.name}: {cost.status},"
        f" {cost.cpu_ms:.0f} ms, {cost.peak_mb:.0f} MB at its peak, {cost.kept_mb:.0f} MB kept"
        for cost in costs
        if not cost.within_targets()
    ]


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="hivemart-bench-") as folder:
        data = Path(folder) / "var"
        with running(data, seed="none") as shop:
            pids = json.loads((data / "run.json").read_text())["pids"]
            costs = list(measure(shop.url, pids, _token(shop.url, data)))
    print(table(costs))
    print("\n".join(missed(costs)), file=sys.stderr)
    return int(bool(missed(costs)))


def _token(url: str, data: Path) -> str:
    admin = json.loads((data / "secrets.json").read_text())["admin"]
    body = json.dumps({"email": admin["email"], "password": admin["password"]})
    answer = urllib3.PoolManager().request(
        "POST", f"{url}/api/auth/token", body=body, headers={"Content-Type": "application/json"}
    )
    return str(answer.json()["access"])


if __name__ == "__main__":
    sys.exit(main())
