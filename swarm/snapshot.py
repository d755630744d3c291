"""What is where right now: nodes, services and tasks of one stack, as plain data to draw or to print."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from swarm import stand_ins
from swarm.cluster import Cluster
from swarm.jobs import reason
from swarm.shop import SERVICES
from swarm.status_warnings import find_warnings

GROUPS = (*SERVICES, "storefront", "gateway", "autoscale", "stores")
_GROUP_OF = {
    **dict.fromkeys(("gateway", "inner", "health"), "gateway"),
    **dict.fromkeys(("redis", "azurite"), "stores"),
    **dict.fromkeys(("autoscale", "node-agent", "docker-proxy"), "autoscale"),
}
STARTING_STATES = {"new", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
FAILED_STATES = {"failed", "rejected", "orphaned"}
RECENT_SECONDS = 900.0  # for which a failed task is still reported


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task; `condition` is what a person wants to know: well, coming, going, bad, stopped."""

    id: str
    service: str
    group: str
    slot: int
    node: str
    state: str
    condition: str
    image: str
    tag: str
    seconds: float
    """since it came into this state"""
    reason: str = ""
    cpu: float | None = None
    """cores in use; None is unknown"""
    memory: int | None = None
    """bytes; None is unknown"""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service of the stack."""

    name: str
    group: str
    running: int
    desired: int
    tag: str
    update: str = ""
    """updating, rollback_completed, paused, …; empty: no update"""
    message: str = ""

    @property
    def condition(self) -> str:
        if self.desired == 0:
            return "stopped"
        if "paused" in self.update or not self.running:
            return "bad"
        rolling = self.update in {"updating", "rollback_started"}
        return "coming" if rolling or self.running < self.desired else "well"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One machine."""

    id: str
    name: str
    role: str
    state: str
    availability: str
    address: str
    cores: float
    memory_total: int
    holds: tuple[str, ...]
    """the data and doors that its labels give it"""
    cpu: float | None = None
    """cores that the stack's tasks use there"""
    memory: int | None = None
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The stack at one moment."""

    stack: str
    url: str
    at: float
    nodes: tuple[Node, ...]
    services: tuple[Service, ...]
    unplaced: tuple[Task, ...] = ()
    """tasks that have no node yet, or whose node is unavailable"""
    trouble: tuple[Task, ...] = field(default=())
    """what ended badly a short while ago, the newest first"""
    drift: tuple[str, ...] = ()
    """where what runs is not what should, a sentence each (swarm/drift.py)"""
    stand_ins: tuple[tuple[str, str], ...] = ()
    """(condition, sentence) of what is there in place of the real thing"""

    @property
    def condition(self) -> str:
        """The worst of its services."""
        found = {service.condition for service in self.services} - {"stopped"}
        return next((each for each in ("bad", "coming") if each in found), "well" if found else "stopped")

    def as_json(self) -> dict[str, Any]:
        whole = asdict(self)
        whole["condition"], whole["notes"] = self.condition, find_warnings(self)
        for described, service in zip(whole["services"], self.services, strict=True):
            described["condition"] = service.condition
        return whole


TaskUsage = Mapping[str, tuple[float | None, int | None]]
"""task id -> cores in use, bytes"""


def take_snapshot(cluster: Cluster, usage: TaskUsage | None = None, drift: Iterable[str] = ()) -> Snapshot:
    """Ask the Swarm; `usage` of tasks and `drift` as far as they are known."""
    services = cluster.services()
    names = {service["ID"]: name for name, service in services.items()}
    now = time.time()
    tasks = [
        _task(raw, names[service_id], now)
        for service_id, each in cluster.tasks().items()
        if service_id in names
        for raw in each
    ]
    wanted = [_with_usage(task, usage or {}) for task in tasks if task.condition != "stopped"]
    nodes = tuple(_node(raw, wanted) for raw in sorted(cluster.nodes(), key=_node_order))
    known = {node.id for node in nodes}
    return Snapshot(
        stack=cluster.stack,
        url=cluster.options.public_url,
        at=now,
        nodes=nodes,
        services=tuple(_service(name, raw, wanted) for name, raw in sorted(services.items(), key=_order)),
        unplaced=tuple(task for task in wanted if task.node not in known),
        trouble=tuple(
            sorted(
                (task for task in tasks if task.state in FAILED_STATES and task.seconds < RECENT_SECONDS),
                key=lambda task: task.seconds,
            )
        ),
        drift=tuple(drift),
        stand_ins=stand_ins.find_warnings(services),
    )


def group_of(service: str) -> str:
    """Under whose name a service is shown: `catalog-couch` -> catalog."""
    stem = service.rsplit("-", 1)[0]
    return _GROUP_OF.get(service) or (stem if stem in GROUPS else service if service in GROUPS else "stores")


def _order(item: tuple[str, Any]) -> tuple[int, str]:
    return GROUPS.index(group_of(item[0])), item[0]


def _node_order(raw: Mapping[str, Any]) -> tuple[bool, str]:
    return raw["Spec"]["Role"] != "manager", raw["Description"].get("Hostname", "")


def _task(raw: Mapping[str, Any], service: str, now: float) -> Task:
    status, container = raw["Status"], raw["Spec"]["ContainerSpec"]
    image = str(container["Image"])
    state = str(status["State"])
    condition = _condition(state, raw["DesiredState"])
    return Task(
        id=raw["ID"],
        service=service,
        group=group_of(service),
        slot=int(raw.get("Slot") or 0),
        node=str(raw.get("NodeID") or ""),
        state=state,
        condition=condition,
        image=image,
        tag=tag_of(image),
        seconds=round(max(0.0, now - _parse_time(status["Timestamp"])), 1),
        reason="" if condition == "well" else _why(status),
    )


def _condition(state: str, desired: str) -> str:
    """Docker's words for a task, in the few that matter to a person."""
    if state == "running":
        return "well" if desired == "running" else "going"
    if state in STARTING_STATES and desired in {"running", "ready", "accepted"}:
        return "coming"
    if state in FAILED_STATES and desired == "running":
        return "bad"
    return "stopped"


def _why(status: Mapping[str, Any]) -> str:
    return reason(status) if status.get("Err") or status["State"] in FAILED_STATES else ""


def tag_of(image: str) -> str:
    """`host/hivemart-cart:68b4d7977a9c` -> 68b4d7977a9c."""
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return tag or name


def _parse_time(text: str) -> float:
    """Docker writes nanoseconds, Python reads microseconds."""
    return datetime.fromisoformat(text[:19] + "+00:00").timestamp()


def _with_usage(task: Task, usage: TaskUsage) -> Task:
    cpu, memory = usage.get(task.id, (None, None))
    return replace(task, cpu=cpu, memory=memory)


def _node(raw: Mapping[str, Any], tasks: Iterable[Task]) -> Node:
    spec, described, manager = raw["Spec"], raw["Description"], raw.get("ManagerStatus") or {}
    own = tuple(sorted((task for task in tasks if task.node == raw["ID"]), key=_task_order))
    labels = spec.get("Labels") or {}
    return Node(
        id=raw["ID"],
        name=described.get("Hostname", raw["ID"][:8]),
        role="leader" if manager.get("Leader") else spec["Role"],
        state=raw["Status"]["State"],
        availability=spec["Availability"],
        address=raw["Status"].get("Addr", ""),
        cores=described.get("Resources", {}).get("NanoCPUs", 0) / 1e9,
        memory_total=described.get("Resources", {}).get("MemoryBytes", 0),
        holds=tuple(
            sorted(name.removeprefix("hivemart.") for name in labels if name.startswith("hivemart."))
        ),
        cpu=_sum(task.cpu for task in own),
        memory=_sum(task.memory for task in own),
        tasks=own,
    )


def _task_order(task: Task) -> tuple[int, str, int]:
    return GROUPS.index(task.group), task.service, task.slot


def _sum(values: Iterable[Any]) -> Any:
    """None when nothing is known."""
    known = [value for value in values if value is not None]
    return round(sum(known), 4) if known else None


def _service(name: str, raw: Mapping[str, Any], tasks: Iterable[Task]) -> Service:
    own = [task for task in tasks if task.service == name]
    running = sum(task.condition == "well" for task in own)
    mode, update = raw["Spec"]["Mode"], raw.get("UpdateStatus") or {}
    update_state = str(update.get("State", ""))
    desired = mode["Replicated"]["Replicas"] if "Replicated" in mode else len({task.node for task in own})
    return Service(
        name=name,
        group=group_of(name),
        running=running,
        desired=int(desired),
        tag=tag_of(str(raw["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])),
        update="" if update_state == "completed" else update_state,
        message="" if update_state == "completed" else str(update.get("Message", "")),
    )
