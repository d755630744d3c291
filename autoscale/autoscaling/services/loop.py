"""One round: look, measure, decide for every service, apply what may be applied, and remember all of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from autoscaling.clients.docker import Gone, OutOfSequence
from autoscaling.domain import Cluster, Overrides, Service
from autoscaling.domain.swarm import UNPLACED
from autoscaling.engine import EngineDown, Refused
from autoscaling.policy import BadLabel, Config, Decision, Policy, Sample, config_from_labels
from autoscaling.services.faults import Faults
from autoscaling.services.history import History
from autoscaling.services.measuring import Look, Measuring, Rows, Source

log = logging.getLogger("autoscale")

PATIENCE = 3.0  # seconds for agents and gateways together


class Swarm(Protocol):
    """What the loop needs of Docker."""

    def look(self) -> Cluster: ...
    def scale(self, service: Service, replicas: int) -> None: ...
    def overrides(self) -> Overrides: ...


class Keeper(Protocol):
    def write(self, record: Mapping[str, Any]) -> None: ...


class Memory(Protocol):
    """What decisions have learned, over a restart."""

    def begin(self, service: str, sample: Sample) -> Any: ...
    def keep(self, at: float, states: Mapping[str, Any]) -> None: ...


Tell = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Round:
    """What one round saw and did."""

    at: float
    mode: str
    cluster: Cluster | None = None
    overrides: Overrides = field(default_factory=Overrides)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0


class Autoscaler:
    """`node`: where this runs; only the Raft leader's acts. Empty: always. Not safe in threads."""

    def __init__(
        self,
        *,
        swarm: Swarm,
        agents: Source,
        gateways: Source,
        policy: Policy,
        measuring: Measuring,
        faults: Faults,
        journal: Keeper,
        history: History,
        tell: Tell,
        stack: str,
        memory: Memory | None = None,
        node: str = "",
        dry_run: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._swarm, self._agents, self._gateways, self._policy = swarm, agents, gateways, policy
        self._measuring, self._faults, self._journal, self._tell = measuring, faults, journal, tell
        self.history, self._memory = history, memory
        self._stack, self._node, self._dry_run, self._clock = stack, node, dry_run, clock
        self._states: dict[str, Any] = {}
        self._templates: dict[str, str] = {}
        self._overrides = Overrides()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="look")
        self.last = Round(clock(), "starting")

    def round(self) -> Round:
        """Never raises for what is wrong outside: it is said once, and everything is held."""
        began = time.monotonic()
        agents, gateways = self._pool.submit(self._agents.rows), self._pool.submit(self._gateways.rows)
        try:
            cluster = self._swarm.look()
            self._overrides = self._swarm.overrides()
            self._faults.say("Docker", "")
        except EngineDown as error:
            self._faults.say("Docker", f"held: {error}")
            self.last = Round(self._clock(), "blind", overrides=self._overrides)
            return self.last
        look = Look(self._answer("agents", agents), self._answer("gateways", gateways))
        done = Round(cluster.at, self._mode(cluster), cluster, self._overrides)
        samples = self._measuring.take(cluster, look)
        for service in cluster.services:
            if service.id in samples and self._ours(service):
                self._guarded(service, samples[service.id], done)
        self._forget(cluster)
        if self._memory:
            known = {service.id: self._measuring.short(service) for service in cluster.services}
            self._memory.keep(cluster.at, {known[id]: state for id, state in self._states.items()})
        done.seconds = time.monotonic() - began
        self.last = done
        return done

    def _answer(self, source: str, future: Future[Mapping[str, Rows | None]]) -> Mapping[str, Rows | None]:
        """Return what a source said; nothing when its names cannot be resolved in time, or it fails."""
        fault, what = "", f"asking {source}"
        try:
            return future.result(timeout=PATIENCE)
        except TimeoutError:
            return {}  # said as agents or gateways that do not answer
        except Exception as error:  # noqa: BLE001 - whatever an odd answer did to it
            fault = f"{type(error).__name__}: {error}"
            return {}
        finally:
            self._faults.say(what, fault)

    def _ours(self, service: Service) -> bool:
        return not self._stack or service.name.startswith(f"{self._stack}_")

    def _mode(self, cluster: Cluster) -> str:
        """`act`, or why nothing is written."""
        if self._node and cluster.leader != self._node:
            return "follow"
        if self._dry_run:
            return "dry-run"
        return "hold" if self._overrides.hold else "act"

    def _guarded(self, service: Service, sample: Sample, done: Round) -> None:
        """Log what goes wrong with one service and begin its record anew; the others go on."""
        what = f"deciding of {self._measuring.short(service)}"
        try:
            self._one(service, sample, done)
        except Exception as error:
            self._states.pop(service.id, None)
            if what not in self._faults.now:
                log.exception(what)
            self._faults.say(what, f"{type(error).__name__}: {error}")
        else:
            self._faults.say(what, "")

    def _one(self, service: Service, sample: Sample, done: Round) -> None:
        name = self._measuring.short(service)
        try:
            config = config_from_labels(done.overrides.labels(name, service.labels))
        except BadLabel as error:
            self._faults.say(f"labels of {name}", str(error))
            return
        self._faults.say(f"labels of {name}", "")
        if config is None:
            self._states.pop(service.id, None)
            return
        state = self._states.get(service.id)
        if state is None and self._memory:
            state = self._memory.begin(name, sample)
        decision, self._states[service.id] = self._policy([sample], state, config)
        why = self._why_not(service, decision, config, done)
        outcome = why or self._apply(service, name, decision)
        if outcome not in ("failed", "conflict"):
            self._faults.say(f"writing {name}", "")
        record = self._record(name, sample, decision, outcome, done.mode)
        record |= {"min": config.min, "max": config.max, "paused": config.paused}
        done.records[name] = record
        self._remember(name, sample, record, done)

    def _why_not(self, service: Service, decision: Decision, config: Config, done: Round) -> str:
        """Why a decision is not applied, "" if it may be: the policy's promises, held once more."""
        if decision.replicas == service.replicas:
            return "full" if decision.blocked > 0 else "none"
        if not config.min <= decision.replicas <= config.max and not _nearer(service, decision, config):
            return "outside"
        if config.paused:
            return "paused"
        if (
            service.updating or self._changed(service)
        ) and not service.replicas < decision.replicas <= config.min:
            return "updating"
        if decision.replicas > service.replicas and self._waiting(service, done):
            return "no-room"
        return "" if done.mode == "act" else done.mode

    def _changed(self, service: Service) -> bool:
        """Return True if the service's template is another than in the round before.

        That is an update, though Docker may not say yet that it runs.
        """
        return self._templates.get(service.id, service.template) != service.template

    @staticmethod
    def _waiting(service: Service, done: Round) -> bool:
        """Whether tasks of it cannot be placed already: more of them would be a storm."""
        return done.cluster is not None and any(
            task.state in UNPLACED and task.error for task in done.cluster.tasks_of(service)
        )

    def _apply(self, service: Service, name: str, decision: Decision) -> str:
        """Write the decision; after a conflict the next round reads and decides again.

        Whoever wrote meanwhile may have set another limit, or begun an update.
        """
        try:
            self._swarm.scale(service, decision.replicas)
        except OutOfSequence:
            return "conflict"
        except Gone:
            return "gone"
        except (EngineDown, Refused) as error:
            self._faults.say(f"writing {name}", f"held: {error}")
            return "failed"
        return "applied"

    def _record(
        self, name: str, sample: Sample, decision: Decision, outcome: str, mode: str
    ) -> dict[str, Any]:
        cpus = [replica.cpu for replica in sample.replicas]
        known = [cpu for cpu in cpus if cpu is not None]
        traffic = sample.traffic
        return {
            "at": round(sample.at, 3),
            "service": name,
            "mode": mode,
            "rule": decision.rule,
            "reason": decision.reason,
            "from": sample.wanted,
            "to": decision.replicas,
            "outcome": outcome,
            "blocked": decision.blocked,
            "need": None if decision.need is None else round(decision.need, 3),
            "ready": sum(replica.ready for replica in sample.replicas),
            "tasks": len(sample.replicas),
            "cpu": round(sum(known) / sample.seconds, 3) if known else None,
            "cpu_missing": len(cpus) - len(known),
            "arrived": None if traffic is None else round(sum(traffic.arrived.values()) / sample.seconds, 2),
            "in_flight": None if traffic is None else traffic.in_flight,
            "failed": None if traffic is None else round(traffic.failed / sample.seconds, 2),
            "updating": sample.updating,
            "room": sample.room,
            "seconds": round(sample.seconds, 3),
        }

    def _remember(self, name: str, sample: Sample, record: dict[str, Any], done: Round) -> None:
        self._journal.write(record)
        fields = ("from", "ready", "need", "cpu", "arrived", "in_flight", "failed")
        point = (record["at"], *(record[key] for key in fields))
        if self.history.add(name, point, record) and done.mode != "follow":
            self._tell(record)

    def _forget(self, cluster: Cluster) -> None:
        ids = {service.id for service in cluster.services}
        names = {self._measuring.short(service) for service in cluster.services}
        for gone in self._states.keys() - ids:
            del self._states[gone]
        for about in ("labels of ", "deciding of ", "writing "):
            self._faults.only(about, {f"{about}{name}" for name in names})
        self._templates = {service.id: service.template for service in cluster.services}
        self.history.keep(names)

    def run(self, every: float, stop: threading.Event, after: Callable[[Round], None]) -> None:
        """Run rounds at fixed distances until `stop`; a late one does not make the next ones hurry."""
        due = time.monotonic()
        while not stop.is_set():
            after(self.round())
            due = max(due + every, time.monotonic())
            stop.wait(due - time.monotonic())
        self._pool.shutdown(wait=False, cancel_futures=True)

    def run_twice(self, every: float, stop: threading.Event) -> Round:
        """One look for the counters, and one round that knows their growth."""
        dry, self._dry_run = self._dry_run, True
        self.round()
        stop.wait(every)
        self._dry_run = dry
        return self.round()


def _nearer(service: Service, decision: Decision, config: Config) -> bool:
    """From outside of the limits towards them: in steps, as ever."""
    limit = config.max if service.replicas > config.max else config.min
    low, high = sorted((service.replicas, limit))
    return low <= decision.replicas <= high
