"""The Swarm through the proxy: read, and scaled by compare-and-set."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from autoscaling.domain.overrides import Overrides
from autoscaling.domain.swarm import UNPLACED, Cluster, Node, Placement, Resources, Service, Task
from autoscaling.engine import Engine, EngineDown, HttpEngine, Refused, name_in_path

T = TypeVar("T")
_FRACTION = re.compile(r"\.(\d{1,9})")


class OutOfSequence(Exception):
    """Somebody else wrote first: read again, decide again."""


class Gone(Exception):
    """The service is not there any more."""


def engines(address: str, timeout: float) -> list[Engine]:
    """One for each address of the host: a proxy on every manager."""
    url = urlsplit(address)
    if url.scheme == "unix":
        return [HttpEngine(address, timeout)]
    try:
        found = socket.getaddrinfo(url.hostname, url.port or 2375, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    hosts = sorted({str(row[4][0]) for row in found})
    return [HttpEngine(f"http://{host}:{url.port or 2375}", timeout) for host in hosts]


class Docker:
    """The proxies, tried in turn: the one that answered last comes first.

    `plain`: it may be Docker itself, without the proxy that keeps overrides; who only looks can do without.
    """

    def __init__(
        self,
        find: Callable[[], Sequence[Engine]],
        clock: Callable[[], float] = time.time,
        *,
        plain: bool = False,
    ) -> None:
        self._find, self._clock, self._plain = find, clock, plain
        self._known: list[Engine] = []

    def look(self) -> Cluster:
        """Everything at once. Raises EngineDown, for an answer of the wrong shape too."""
        return self._ask(self._look)

    def _look(self, engine: Engine) -> Cluster:
        services = engine.get("/services", {"status": "true"})
        tasks = engine.get("/tasks", {"filters": {"desired-state": ["running"]}})
        nodes = engine.get("/nodes")
        return Cluster(
            self._clock(),
            services=[found for row in services if (found := _service(row))],
            tasks=[_task(row) for row in tasks],
            nodes=[_node(row) for row in nodes],
        )

    def scale(self, service: Service, replicas: int) -> None:
        """If nobody wrote since `service` was read. Raises OutOfSequence, Gone, Refused and EngineDown.

        After EngineDown nobody knows whether it was written; the next look tells. It is not tried elsewhere.
        """
        body = {"Mode": {"Replicated": {"Replicas": replicas}}}
        path = f"/services/{name_in_path(service.id)}/update"
        self._write(path, body, service.version)

    def overrides(self) -> Overrides:
        """Return the overrides that people set. Raises EngineDown."""
        return self._ask(self._overrides)

    def _overrides(self, engine: Engine) -> Overrides:
        try:
            return _overrides(engine.get("/overrides"))
        except Refused as error:
            if self._plain and error.status == 404:
                return Overrides()
            raise

    def tell(self, before: Overrides, told: dict[str, str]) -> Overrides:
        """Store the overrides.

        Raises OutOfSequence when somebody stored others meanwhile, Refused and EngineDown.
        """
        return _overrides(self._write("/overrides", told, before.version))

    def _write(self, path: str, body: Any, version: int) -> Any:
        for engine in self._engines()[:1]:
            try:
                return engine.post(path, body, {"version": version})
            except Refused as error:
                if error.out_of_sequence:
                    raise OutOfSequence(path) from error
                if error.status == 404:
                    raise Gone(path) from error
                if error.status >= 500:
                    raise EngineDown(str(error)) from error
                raise
        raise EngineDown("no proxy is known")

    def _engines(self) -> list[Engine]:
        self._known = self._known or list(self._find())
        return self._known

    def _ask(self, question: Callable[[Engine], T]) -> T:
        fault = "no proxy is known"
        for engine in [*self._engines(), *(() if self._known else self._find())]:
            try:
                answer = question(engine)
            except (EngineDown, Refused) as error:
                fault = str(error)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                fault = f"an answer of another shape: {type(error).__name__}: {error}"
            else:
                self._known = [engine, *(other for other in self._known if other is not engine)]
                return answer
        self._known = []  # ask the name again next time: proxies may have moved
        raise EngineDown(fault)


def moment(text: str) -> float:
    """Unix time of Docker's RFC 3339 with nanoseconds. Raises ValueError."""
    short = _FRACTION.sub(lambda match: f".{match[1][:6]:<06}", text.replace("Z", "+00:00"))
    return datetime.fromisoformat(short).timestamp()


def _resources(row: Any) -> Resources:
    found = row or {}
    return Resources(float(found.get("NanoCPUs", 0)) / 1e9, int(found.get("MemoryBytes", 0)))


def _reserved(template: Any) -> Resources:
    return _resources((template.get("Resources") or {}).get("Reservations"))


def _service(row: Any) -> Service | None:
    """None for a global service or a job: it has no replicas to set."""
    spec = row.get("Spec", {})
    if "Replicated" not in spec.get("Mode", {}):
        return None
    template = spec["TaskTemplate"]
    placement = template.get("Placement") or {}
    return Service(
        id=str(row["ID"]),
        name=str(spec["Name"]),
        version=int(row["Version"]["Index"]),
        replicas=int(spec["Mode"]["Replicated"].get("Replicas", 0)),
        labels={str(key): str(value) for key, value in (spec.get("Labels") or {}).items()},
        update=str((row.get("UpdateStatus") or {}).get("State", "")),
        reserved=_reserved(template),
        placement=Placement(tuple(placement.get("Constraints") or ()), int(placement.get("MaxReplicas", 0))),
        template=json.dumps(template, sort_keys=True),
    )


def _task(row: Any) -> Task:
    status = row["Status"]
    state = str(status["State"])
    return Task(
        id=str(row["ID"]),
        service=str(row["ServiceID"]),
        node="" if state in UNPLACED else str(row.get("NodeID", "")),
        state=state,
        created=moment(row["CreatedAt"]),
        since=moment(status["Timestamp"]),
        reserved=_reserved(row.get("Spec") or {}),
        error=str(status.get("Err", "")),
    )


def _node(row: Any) -> Node:
    spec, described = row["Spec"], row["Description"]
    platform = described.get("Platform") or {}
    return Node(
        id=str(row["ID"]),
        name=str(described.get("Hostname", "")),
        role=str(spec["Role"]),
        resources=_resources(described.get("Resources")),
        labels={str(key): str(value) for key, value in (spec.get("Labels") or {}).items()},
        platform=(str(platform.get("OS", "")), str(platform.get("Architecture", ""))),
        usable=row["Status"]["State"] == "ready" and spec["Availability"] == "active",
        leader=bool((row.get("ManagerStatus") or {}).get("Leader")),
    )


def _overrides(said: Any) -> Overrides:
    return Overrides(int(said["version"]), {str(key): str(value) for key, value in said["overrides"].items()})
