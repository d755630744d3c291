"""The loop's own address: /metrics for Prometheus, /state for the page, /livez for the container's check."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from autoscaling.answering import METRICS, Answering
from autoscaling.domain.capacity import free_on
from autoscaling.services.history import FIELDS
from autoscaling.services.loop import Autoscaler, Round
from autoscaling.services.measuring import Measuring

LATE = 30.0  # seconds without a round after which this process is of no use


class Metrics:
    """What every round leaves behind, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._services: set[str] = set()
        own: dict[str, Any] = {"registry": self.registry}
        self.decisions = Counter("autoscale_decisions", "Decisions", ["service", "rule", "outcome"], **own)
        self.rounds = Counter("autoscale_rounds", "Rounds", ["mode"], **own)
        self.seconds = Gauge("autoscale_round_seconds", "Time that the last round took", **own)
        self.acting = Gauge("autoscale_acting", "1 where this loop writes", **own)
        self.faults = Gauge("autoscale_faults", "Things that are wrong just now", **own)
        self.of_service = {
            name: Gauge(f"autoscale_service_{name}", text, ["service"], **own)
            for name, text in (
                ("wanted", "Replicas that the specification asks for"),
                ("ready", "Replicas that serve"),
                ("need", "Replicas that the demand asks for"),
                ("cpu", "CPU seconds per second of all replicas"),
                ("arrived", "Requests per second"),
                ("in_flight", "Requests under way"),
                ("blocked", "Replicas that were wanted and not granted"),
            )
        }

    def take(self, done: Round, faults: int) -> None:
        self.rounds.labels(done.mode).inc()
        self.seconds.set(done.seconds)
        self.acting.set(done.mode == "act")
        self.faults.set(faults)
        if done.cluster is not None:
            self._forget(done.records.keys())
        for service, record in done.records.items():
            self.decisions.labels(service, record["rule"], record["outcome"]).inc()
            for name, gauge in self.of_service.items():
                value = record["from" if name == "wanted" else name]
                gauge.labels(service).set(float("nan") if value is None else value)

    def _forget(self, known: Collection[str]) -> None:
        """No figures of what is gone, or is not looked after any more."""
        for gone in self._services - set(known):
            for gauge in self.of_service.values():
                gauge.remove(gone)
        self._services = set(known)


def state(loop: Autoscaler, measuring: Measuring, faults: dict[str, str], since: float) -> dict[str, Any]:
    """Everything that the page shows, as JSON."""
    last = loop.last
    cluster = last.cluster
    nodes = [] if cluster is None else [
        {
            "name": node.name, "role": node.role, "leader": node.leader, "usable": node.usable,
            "tasks": sum(task.node == node.id for task in cluster.tasks),
            "cpus": node.resources.cpus, "free_cpus": round(free_on(node, cluster.tasks).cpus, 2),
            "memory": node.resources.memory, "free_memory": free_on(node, cluster.tasks).memory,
            "busy": _busy(measuring, node.id),
        }
        for node in cluster.nodes
    ]  # fmt: skip
    return {
        "at": last.at,
        "mode": last.mode,
        "hold": last.overrides.hold,
        "faults": faults,
        "fields": FIELDS,
        "points": loop.history.since(since),
        "services": [*last.records.values(), *_unreadable(last, measuring, faults)],
        "told": dict(last.overrides.told),
        "decisions": loop.history.decisions(),
        "nodes": nodes,
    }


def _unreadable(last: Round, measuring: Measuring, faults: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of services whose labels say nothing usable: left alone, to be seen and mended by people."""
    rows = []
    for service in last.cluster.services if last.cluster else ():
        name = measuring.short(service)
        if (fault := faults.get(f"labels of {name}")) and name not in last.records:
            told = last.overrides.of(name)
            tasks = last.cluster.tasks_of(service) if last.cluster else []
            rows.append(
                {
                    "at": last.at, "service": name, "mode": last.mode, "rule": "labels", "reason": fault,
                    "from": service.replicas, "to": service.replicas, "outcome": "none",
                    "ready": sum(task.ready for task in tasks), "need": None,
                    "cpu": None, "arrived": None, "in_flight": None, "updating": service.updating,
                    "min": told.get("min", ""), "max": told.get("max", ""), "paused": "paused" in told,
                }
            )  # fmt: skip
    return rows


def _busy(measuring: Measuring, node: str) -> float | None:
    figures = measuring.nodes.get(node)
    return None if figures is None or figures.cpu is None else round(figures.cpu, 2)


class Server(ThreadingHTTPServer):
    """`after` is what the loop calls with each round."""

    daemon_threads = True

    def __init__(
        self, listen: tuple[str, int], loop: Autoscaler, measuring: Measuring, faults: dict[str, str]
    ) -> None:
        super().__init__(listen, Handler)
        self.loop, self.measuring, self.faults = loop, measuring, faults
        self.metrics = Metrics()
        self._round_at = time.monotonic()

    def after(self, done: Round) -> None:
        self._round_at = time.monotonic()
        self.metrics.take(done, len(self.faults))

    @property
    def alive(self) -> bool:
        return time.monotonic() - self._round_at < LATE

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.5,), name="state", daemon=True).start()


class Handler(Answering):
    server: Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/metrics":
            self.send(200, METRICS, generate_latest(self.server.metrics.registry))
        elif url.path == "/state":
            self.send(200, "application/json", self._state(parse_qs(url.query)))
        elif url.path == "/livez":
            alive = self.server.alive
            self.send(200 if alive else 503, "text/plain", b"ok\n" if alive else b"no round any more\n")
        else:
            self.send(404, "text/plain", b"not found\n")

    def _state(self, query: dict[str, list[str]]) -> bytes:
        try:
            since = float(query.get("since", ["0"])[0])
        except ValueError:
            since = 0.0
        server = self.server
        return json.dumps(state(server.loop, server.measuring, dict(server.faults), since)).encode()
