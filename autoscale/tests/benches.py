"""A Swarm to scale, fake or real, behind the real proxy: what the loop's behaviour is tested on."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fake_docker import GIB, World, serving

from autoscaling.clients.docker import Docker
from autoscaling.engine import SOCKET, HttpEngine
from autoscaling.policy import Decision
from autoscaling.proxy.__main__ import Server
from autoscaling.proxy.rules import Rules
from autoscaling.services import Autoscaler, History, Measuring
from autoscaling.services.faults import Faults

STACK = "h6bench"
IMAGE = "debian:bookworm-slim"


class Wants:
    """A policy that wants what it is told, so that a test says when the loop has to act."""

    def __init__(self, replicas: int | None = None) -> None:
        self.replicas = replicas
        self.samples: list[Any] = []

    def __call__(self, samples, state, config):
        sample = samples[-1]
        self.samples.append(sample)
        want = self.replicas(sample) if callable(self.replicas) else self.replicas
        return Decision(sample.wanted if want is None else want, "told", "as told"), (state or 0) + 1


class Silent:
    """Neither agents nor gateways."""

    def rows(self):
        return {}


class Written(list):
    """A journal and an audit trail in memory."""

    write = list.append

    def __call__(self, record):
        self.append(record)


class Made:
    """A loop and what it leaves behind."""

    def __init__(self, docker: Docker, policy: Any, **more: Any) -> None:
        self.faults, self.journal, self.told = Faults(), Written(), Written()
        self.policy = policy
        self.loop = Autoscaler(
            swarm=docker,
            agents=more.pop("agents", Silent()),
            gateways=more.pop("gateways", Silent()),
            policy=policy,
            measuring=Measuring(self.faults, stack=STACK, every=2.0),
            faults=self.faults,
            journal=self.journal,
            history=History(),
            tell=self.told,
            stack=STACK,
            **more,
        )

    def outcome(self) -> str:
        """Of one more round, for the service `web`; "" when there was no decision."""
        return self.loop.round().records.get("web", {}).get("outcome", "")


class Patient(HttpEngine):
    """An engine that waits as long as its bench says just now, times `share`."""

    def __init__(self, address: str, bench: Bench, share: float) -> None:
        self._bench, self._share = bench, share
        super().__init__(address)

    @property
    def timeout(self) -> float:
        return self._bench.patience * self._share

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        """Return the bench's goes before it."""


class Bench:
    """A service `web` with 2 replicas, from 1 to 10.

    patience: seconds that an answer may take: long, for a busy machine is no fault, but where something hangs
    on purpose.
    """

    address: str
    patience = 20.0

    @contextlib.contextmanager
    def proxied(self) -> Iterator[None]:
        engine = Patient(self.docker_host, self, 1.0)
        rules = Rules(engine, config=f"{STACK}_overrides", stack=STACK)
        server = Server(("127.0.0.1", 0), rules)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{server.server_port}"
        yield
        server.shutdown()
        server.server_close()

    def docker(self) -> Docker:
        return Docker(lambda: [Patient(self.address, self, 2.0)])

    def make(self, want: Any = None, **more: Any) -> Made:
        return Made(self.docker(), Wants(want), **more)

    def replicas(self) -> int:
        return next(s.replicas for s in self.docker().look().services if s.name == f"{STACK}_web")


class FakeBench(Bench):
    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.world.add_node("n1", leader=True)
        self.world.add_node("n2")
        self.world.add_service(f"{STACK}_web", 2, labels={"autoscale.max": "10"})
        self._path = folder / "docker.sock"
        self.leader = "n1"

    @contextlib.contextmanager
    def running(self) -> Iterator[FakeBench]:
        with serving(self.world, self._path) as self.docker_host, self.proxied():
            yield self

    def start_update(self) -> None:
        self.world.services[f"id-{STACK}_web"]["UpdateStatus"] = {"State": "updating"}

    def end_update(self) -> None:
        self.world.services[f"id-{STACK}_web"]["UpdateStatus"] = {"State": "completed"}

    def fill(self) -> None:
        """No node holds another replica."""
        for node in self.world.nodes.values():
            node["Description"]["Resources"] = {"NanoCPUs": 10**9, "MemoryBytes": GIB}

    def remove(self) -> None:
        del self.world.services[f"id-{STACK}_web"]


class RealBench(Bench):
    """The Docker of this machine: a stack of its own with a service that sleeps."""

    docker_host = os.environ.get("DOCKER_HOST") or SOCKET

    def __init__(self, folder: Path) -> None:
        self.leader = _docker(
            "node", "ls", "--filter", "role=manager", "--format", "{{.ID}} {{.ManagerStatus}}"
        )
        self.leader = next(line.split()[0] for line in self.leader.splitlines() if line.endswith("Leader"))

    @contextlib.contextmanager
    def running(self) -> Iterator[RealBench]:
        self.remove()
        options = {
            "--label": ["autoscale.enabled=true", "autoscale.min=1", "autoscale.max=10"],
            "--reserve-memory": ["8M"],
            "--update-delay": ["3s"],
            "--stop-grace-period": ["1s"],
        }
        flat = [part for name, values in options.items() for value in values for part in (name, value)]
        _docker(
            *("service", "create", "--detach", "--quiet", "--no-resolve-image", "--endpoint-mode", "dnsrr"),
            *("--name", f"{STACK}_web", "--replicas", "2", *flat, IMAGE, "sleep", "3600"),
        )
        try:
            with self.proxied():
                self._until(lambda: self._ready() == 2)
                yield self
        finally:
            self.remove()
            for config in _docker("config", "ls", "-q", "--filter", f"name={STACK}_overrides").split():
                _docker("config", "rm", config)

    def _ready(self) -> int:
        return sum(task.ready for task in self._tasks())

    def _tasks(self):
        cluster = self.docker().look()
        own = [service for service in cluster.services if service.name == f"{STACK}_web"]
        return [task for service in own for task in cluster.tasks_of(service)]

    def start_update(self) -> None:
        _docker("service", "update", "--detach", "--quiet", "--env-add", f"T={time.time()}", f"{STACK}_web")
        self._until(self._updating)

    def end_update(self) -> None:
        self._until(lambda: not self._updating())

    def _updating(self) -> bool:
        cluster = self.docker().look()
        return any(service.updating for service in cluster.services if service.name == f"{STACK}_web")

    def fill(self) -> None:
        (memory,) = {node.resources.memory for node in self.docker().look().nodes}
        each = memory // 3
        _docker("service", "update", "--detach", "--quiet", "--reserve-memory", str(each), f"{STACK}_web")
        time.sleep(1)
        self.end_update()

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            _docker("service", "rm", f"{STACK}_web")

    @staticmethod
    def _until(true: Any, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "the Swarm does not get there"
            time.sleep(0.2)


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603, S607 -- our own
    return done.stdout


def shown(value: Any) -> str:
    return json.dumps(value, indent=1)
