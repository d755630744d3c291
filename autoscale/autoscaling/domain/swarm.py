"""A Swarm as one look at the Docker API shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: States of `UpdateStatus` in which replicas of two versions may be about, or an operator has to decide.
ROLLING = frozenset({"updating", "paused", "rollback_started", "rollback_paused"})
#: States of a task that has no node yet.
UNPLACED = frozenset({"new", "pending", "allocated"})


@dataclass(frozen=True, slots=True)
class Resources:
    cpus: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    constraints: Sequence[str] = ()
    max_per_node: int = 0
    """0: not limited"""


@dataclass(frozen=True, slots=True)
class Service:
    """version: of the specification, for compare-and-set. update: `UpdateStatus.State`, "" for none."""

    id: str
    name: str
    version: int
    replicas: int
    labels: Mapping[str, str]
    update: str = ""
    reserved: Resources = Resources()
    placement: Placement = field(default_factory=Placement)
    template: str = ""
    """Another one for every update of its tasks."""

    @property
    def updating(self) -> bool:
        return self.update in ROLLING


@dataclass(frozen=True, slots=True)
class Task:
    """A task that is meant to run. created, since: Unix time; since: of its present state."""

    id: str
    service: str
    node: str
    state: str
    created: float
    since: float
    reserved: Resources = Resources()
    error: str = ""

    @property
    def ready(self) -> bool:
        """Swarm calls a task running only once its health check has passed."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    name: str
    role: str
    resources: Resources
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: tuple[str, str] = ("linux", "")
    usable: bool = True
    """ready, and neither drained nor paused"""
    leader: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    at: float
    services: Sequence[Service]
    tasks: Sequence[Task]
    nodes: Sequence[Node]

    @property
    def leader(self) -> str:
        """The Raft leader's node, "" while there is none."""
        return next((node.id for node in self.nodes if node.leader), "")

    def tasks_of(self, service: Service) -> list[Task]:
        return [task for task in self.tasks if task.service == service.id]
