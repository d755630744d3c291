"""One look at everything on this node, as text."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from autoscaling.agent.cgroups import Cgroups, Gone, Usage
from autoscaling.agent.containers import Container, Containers, OneShot
from autoscaling.agent.node import Node

FRESH = 0.25  # seconds for which a look serves all who ask


class Sampler:
    def __init__(
        self,
        *,
        node: Node,
        containers: Containers,
        cgroups: Cgroups,
        one_shot: OneShot,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._node, self._containers, self._cgroups, self._one_shot = node, containers, cgroups, one_shot
        self._clock = clock
        self._lock = threading.Lock()
        self._last = (0.0, "")

    def text(self) -> str:
        """Prometheus' text format. A container's lines end with its own sample's time, in milliseconds."""
        with self._lock:
            now = self._clock()
            if not 0 <= now - self._last[0] < FRESH:
                self._last = (now, "\n".join(self._lines(now)) + "\n")
            return self._last[1]

    def _lines(self, now: float) -> Iterator[str]:
        running = self._containers.all()
        ids = {container.id for container in running}
        self._cgroups.forget(ids)
        self._one_shot.forget(ids)
        yield "# TYPE hivemart_container_cpu_seconds_total counter"
        for container in running:
            if (sample := self._sample(container, now)) is not None:
                yield from _of_container(container, *sample)
        yield from self._of_node(now)

    def _sample(self, container: Container, now: float) -> tuple[float, Usage] | None:
        try:
            return now, self._cgroups.usage(container.id)
        except Gone:
            return self._one_shot.latest(container.id)

    def _of_node(self, now: float) -> Iterator[str]:
        labels = f'{{node="{self._node.name}",id="{self._node.id}"}}'
        yield f"hivemart_agent_timestamp_seconds{labels} {now:.3f}"
        # Without the list nobody can tell "no container" from "no idea".
        yield f"hivemart_agent_list_ok{labels} {int(self._containers.read_at is not None)}"
        usage = self._node.usage()
        yield f"hivemart_node_cpu_seconds_total{labels} {usage.cpu_seconds:.2f}"
        yield f"hivemart_node_cpu_cores{labels} {usage.cores}"
        yield f"hivemart_node_memory_bytes{labels} {usage.memory}"
        yield f"hivemart_node_memory_total_bytes{labels} {usage.memory_total}"


def _of_container(container: Container, at: float, usage: Usage) -> Iterator[str]:
    labels = f'{{service="{container.service}",task="{container.task}",id="{container.id[:12]}"}}'
    stamp = int(at * 1000)
    yield f"hivemart_container_cpu_seconds_total{labels} {usage.cpu_seconds:.6f} {stamp}"
    yield f"hivemart_container_cpu_throttled_seconds_total{labels} {usage.throttled_seconds:.6f} {stamp}"
    yield f"hivemart_container_memory_bytes{labels} {usage.memory} {stamp}"
    yield f"hivemart_container_start_time_seconds{labels} {container.started:.0f} {stamp}"
    if usage.cpu_limit is not None:
        yield f"hivemart_container_cpu_limit_cores{labels} {usage.cpu_limit:g} {stamp}"
    if usage.memory_limit is not None:
        yield f"hivemart_container_memory_limit_bytes{labels} {usage.memory_limit} {stamp}"
