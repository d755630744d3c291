"""From counters of agents and gateways to the policy's samples. The previous counters are kept here."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from autoscaling.domain import Cluster, Service, Task, room_for
from autoscaling.exposition import Row
from autoscaling.policy import Replica, Sample, Traffic
from autoscaling.services.faults import Faults

Rows = Mapping[str, list[Row]]
STALE = 6.0  # seconds after which the CPU of a container is not known any more
LEAST = 0.2  # seconds between two samples that make a rate
KNOWN = 60.0  # seconds for which the counters of a gateway that is gone are kept
MOST_CORES = 4096.0  # no container uses more; a counter that says so is wrong


class Source(Protocol):
    """Addresses and what each answered, None for nothing."""

    def rows(self) -> Mapping[str, Rows | None]: ...


class Look(NamedTuple):
    """What the sources said at one time."""

    agents: Mapping[str, Rows | None]
    gateways: Mapping[str, Rows | None]


@dataclass(slots=True)
class Cpu:
    """CPU of one task: the last counter, and the rate since the one before, None where that is not known."""

    at: float
    total: float
    rate: float | None


@dataclass(slots=True)
class Counters:
    """Counters of one gateway, by service and route.

    at: when by its own clock; started: since when it counts; nan where it does not say, which no comparison
    holds for.
    """

    started: float
    at: float
    requests: dict[tuple[str, str], float] = field(default_factory=dict)
    errors: dict[tuple[str, str], float] = field(default_factory=dict)
    flying: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(slots=True)
class Flow:
    """All gateways together, of one service."""

    arrived: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    completed: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    in_flight: float = 0.0
    failed: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """A node's own totals, for the page.

    seen: when its agent last answered. cpu: busy cores; None until the second look.
    """

    seen: float
    cpu: float | None
    cores: float
    memory: float
    memory_total: float


class Measuring:
    """`take` answers a sample of every service; a source that is missing is None in it, never zero."""

    def __init__(self, faults: Faults, *, stack: str, every: float) -> None:
        self._faults, self._every = faults, every
        self._start = f"{stack}_" if stack else ""
        self._cpu: dict[str, Cpu] = {}
        self._gateways: dict[str, Counters] = {}
        self._seen: dict[str, float] = {}
        self._well: dict[str, float] = {}
        self._last: float | None = None
        self._node_cpu: dict[str, tuple[float, float]] = {}
        self.nodes: dict[str, NodeFigures] = {}

    def short(self, service: Service) -> str:
        """Return the service's name without the stack's: as the gateway calls it."""
        return service.name.removeprefix(self._start)

    def take(self, cluster: Cluster, look: Look) -> dict[str, Sample]:
        """Return samples by service id."""
        seconds = self._every if self._last is None else max(0.1, cluster.at - self._last)
        self._last = cluster.at
        self._take_cpu(cluster, look.agents)
        flows = self._take_flows(cluster.at, look.gateways, seconds)
        return {
            service.id: self._sample(service, cluster, flows, seconds)
            for service in cluster.services
            if "autoscale.enabled" in service.labels
        }

    def _sample(
        self, service: Service, cluster: Cluster, flows: Mapping[str, Flow] | None, seconds: float
    ) -> Sample:
        flow = None if flows is None else flows.get(self.short(service), Flow())
        return Sample(
            at=cluster.at,
            seconds=seconds,
            wanted=service.replicas,
            replicas=[self._replica(task, cluster.at, seconds) for task in cluster.tasks_of(service)],
            traffic=None if flow is None else _traffic(flow),
            updating=service.updating,
            room=room_for(service, cluster),
        )

    def _replica(self, task: Task, now: float, seconds: float) -> Replica:
        known = self._cpu.get(task.id)
        cpu = None
        if known is not None and known.rate is not None and abs(now - known.at) < STALE:
            cpu = known.rate * seconds
        return Replica(id=task.id, ready=task.ready, started=task.created, since=task.since, cpu=cpu)

    def _take_cpu(self, cluster: Cluster, agents: Mapping[str, Rows | None]) -> None:
        created = {task.id: task.created for task in cluster.tasks}
        for rows in agents.values():
            for row in (rows or {}).get("hivemart_container_cpu_seconds_total", []):
                task = row.labels.get("task", "")
                if task in created and row.at is not None:
                    self._cpu[task] = _newer(self._cpu.get(task), row.at, row.value, created[task])
            self._take_node(rows or {}, cluster.at)
        self.nodes = {
            node: figures for node, figures in self.nodes.items() if abs(cluster.at - figures.seen) < STALE
        }
        for task in self._cpu.keys() - created.keys():
            del self._cpu[task]
        answering = sum(rows is not None for rows in agents.values())
        nodes = {task.node for task in cluster.tasks if task.node}
        missing = len(nodes) - answering
        fault = f"{missing} of {len(nodes)} do not answer" if missing > 0 else ""
        self._say("node agents", fault, cluster.at)

    def _say(self, what: str, fault: str, now: float) -> None:
        """Only what lasts: on a busy machine a single answer may be late."""
        if not fault:
            self._well[what] = now
        elif abs(now - self._well.setdefault(what, now)) <= STALE:
            return
        self._faults.say(what, fault)

    def _take_node(self, rows: Rows, now: float) -> None:
        total, cores = rows.get("hivemart_node_cpu_seconds_total"), rows.get("hivemart_node_cpu_cores")
        memory, whole = rows.get("hivemart_node_memory_bytes"), rows.get("hivemart_node_memory_total_bytes")
        stamp = rows.get("hivemart_agent_timestamp_seconds")
        if not (total and cores and memory and whole and stamp):
            return
        node, at = total[0].labels.get("id") or total[0].labels.get("node", ""), stamp[0].value
        before = self._node_cpu.get(node)
        self._node_cpu[node] = (at, total[0].value)
        rate = None
        if before and at - before[0] >= LEAST:
            rate = max(0.0, total[0].value - before[1]) / (at - before[0])
        self.nodes[node] = NodeFigures(now, rate, cores[0].value, memory[0].value, whole[0].value)

    def _take_flows(
        self, now: float, gateways: Mapping[str, Rows | None], seconds: float
    ) -> dict[str, Flow] | None:
        """Return requests by service; None when a gateway with an address is mute or cannot be compared yet.

        Half of the traffic would look like all of it.
        """
        flows: defaultdict[str, Flow] = defaultdict(Flow)
        missing = [address for address, rows in gateways.items() if rows is None]
        unknown: list[str] = []
        answered = {address: _counters(rows) for address, rows in gateways.items() if rows is not None}
        for address, counters in answered.items():
            before = self._gateways.get(address)
            self._gateways[address] = counters
            self._seen[address] = now
            if before is not None and before.started == counters.started and counters.at > before.at:
                _add(flows, before, counters, seconds / (counters.at - before.at))
            elif 0 <= counters.at - counters.started < 2 * seconds:  # just started: it counts from nothing
                _add(flows, Counters(counters.started, counters.started), counters, 1.0)
            else:
                unknown.append(address)  # what it did since the look before
        for gone in [at for at in self._gateways if abs(now - self._seen.get(at, 0)) >= KNOWN]:
            del self._gateways[gone]
        fault = f"{len(missing)} of {len(gateways)} do not answer" if missing else ""
        self._say("gateway figures", fault or ("" if answered else "none answers"), now)
        return None if missing or unknown or not answered else dict(flows)


def _newer(known: Cpu | None, at: float, total: float, created: float) -> Cpu:
    """At first the mean since the task was made; a counter that fell began anew."""
    if known is None:
        return Cpu(at, total, _possible(total / max(1.0, at - created)))
    if at < known.at:
        return Cpu(at, total, known.rate)  # the node's clock was put back: the next sample makes a rate again
    if at - known.at < LEAST:
        return known
    return Cpu(at, total, _possible(max(0.0, total - known.total) / (at - known.at)))


def _possible(rate: float) -> float | None:
    return rate if rate <= MOST_CORES else None


def _counters(rows: Rows) -> Counters:
    def by_route(name: str) -> dict[tuple[str, str], float]:
        found: defaultdict[tuple[str, str], float] = defaultdict(float)
        for row in rows.get(f"hivemart_gateway_{name}", []):
            found[row.labels.get("service", ""), row.labels.get("route", "")] += row.value
        return found

    stamps = [rows.get(f"hivemart_gateway_{name}_seconds") for name in ("start_time", "timestamp")]
    started, at = (found[0].value if found else math.nan for found in stamps)
    return Counters(started, at, by_route("requests_total"), by_route("errors_total"), by_route("in_flight"))


def _add(flows: defaultdict[str, Flow], before: Counters, after: Counters, scale: float) -> None:
    """Add what happened in one gateway between two looks, stretched to the sample's interval."""
    for key in after.requests.keys() | after.flying.keys() | before.flying.keys():
        service, route = key
        flow = flows[service]
        done = after.requests.get(key, 0.0) - before.requests.get(key, 0.0)
        more = after.flying.get(key, 0.0) - before.flying.get(key, 0.0)
        flow.completed[route] += max(0.0, done) * scale
        flow.arrived[route] += max(0.0, done + more) * scale
        flow.in_flight += after.flying.get(key, 0.0)
        flow.failed += max(0.0, after.errors.get(key, 0.0) - before.errors.get(key, 0.0)) * scale


def _traffic(flow: Flow) -> Traffic:
    return Traffic(dict(flow.arrived), dict(flow.completed), flow.in_flight, flow.failed)
