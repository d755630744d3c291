"""CPU and memory of the stack's tasks: this node's from Docker, other nodes' from their agents.

What is not known is left out, and pictures say "unknown". Docker's statistics take a second however many
are asked for at once; an agent (autoscale/, on every node) answers at once.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException

from swarm.cluster import NAMESPACE, Cluster

TASK_LABEL = "com.docker.swarm.task.id"
MAX_PARALLEL = 32
AGENT = "node-agent"
METRIC_LINE = re.compile(
    r'^hivemart_container_(cpu_seconds_total|memory_bytes)\{[^}]*task="(\w+)"[^}]*\} (\S+)(?: (\d+))?'
)
# Runs in a container of this node that shares a network with the agents.
AGENT_SCRIPT = """
import json, socket, urllib.request
found = []
known = socket.getaddrinfo("tasks.node-agent", 9100, type=socket.SOCK_STREAM)
for address in sorted({each[4][0] for each in known}):
    try:
        with urllib.request.urlopen(f"http://{address}:9100/metrics", timeout=2) as answer:
            found.append(answer.read().decode())
    except OSError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Sample:
    """Counters of one task."""

    at: float
    cpu_seconds: float
    memory: int


class UsageSampler:
    """Keeps the counters of the last look: cores in use are the difference of two."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._last: dict[str, Sample] = {}

    def sample_usage(self) -> dict[str, tuple[float | None, int | None]]:
        """Task id -> cores in use since the last look, and bytes."""
        now = self._samples()
        found: dict[str, tuple[float | None, int | None]]
        found = {task: (self._cores(task, sample), sample.memory) for task, sample in now.items()}
        self._last = now
        return found

    def _cores(self, task: str, sample: Sample) -> float | None:
        before = self._last.get(task)
        if before is None or sample.at - before.at < 0.1:
            return None
        return round(max(0.0, sample.cpu_seconds - before.cpu_seconds) / (sample.at - before.at), 4)

    def _samples(self) -> dict[str, Sample]:
        own = dict(self._node_samples())
        return {**dict(self._agent_samples()), **own}

    def _node_samples(self) -> Iterator[tuple[str, Sample]]:
        label = {"label": f"{NAMESPACE}={self._cluster.stack}"}
        try:
            found = self._cluster.docker.containers.list(filters=label, ignore_removed=True)
        except DockerException:
            return
        with ThreadPoolExecutor(MAX_PARALLEL) as pool:
            for container, sample in zip(found, pool.map(_container_sample, found), strict=True):
                task = container.labels.get(TASK_LABEL)
                if task and sample:
                    yield task, sample

    def _agent_samples(self) -> Iterator[tuple[str, Sample]]:
        for text in self._scrape_agents():
            yield from read(text)

    def _scrape_agents(self) -> list[str]:
        """One text for each agent that answers; none where there are no agents, or no way to them."""
        try:
            if AGENT not in self._cluster.services() or len(self._cluster.nodes()) < 2:
                return []
            for name in ("autoscale", "health", AGENT):
                label = {"label": f"com.docker.swarm.service.name={self._cluster.stack}_{name}"}
                for container in self._cluster.docker.containers.list(filters=label):
                    code, out = container.exec_run(["python3", "-c", AGENT_SCRIPT], stderr=False)
                    if code == 0:
                        return list(json.loads(out))
        except (DockerException, RequestException, ValueError):
            pass
        return []


def read(text: str) -> Iterator[tuple[str, Sample]]:
    """Return the samples in an agent's answer (Prometheus' text format)."""
    seconds: dict[str, tuple[float, float]] = {}
    memory: dict[str, int] = {}
    for line in text.splitlines():
        match = METRIC_LINE.match(line)
        if match and match[1] == "memory_bytes":
            memory[match[2]] = int(float(match[3]))
        elif match:
            seconds[match[2]] = (float(match[3]), int(match[4]) / 1000 if match[4] else time.time())
    for task, (used, at) in seconds.items():
        yield task, Sample(at, used, memory.get(task, 0))


def _container_sample(container: Any) -> Sample | None:
    try:
        stats = container.stats(stream=False, one_shot=True)
        used = stats["memory_stats"]
        cache = used.get("stats", {})
        # What the kernel can drop is left out, as `docker stats` does.
        droppable = cache.get("total_inactive_file", cache.get("inactive_file", 0))
        spent = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
        return Sample(_parse_time(stats["read"]), spent, int(used.get("usage", 0)) - droppable)
    except (NotFound, APIError, RequestException, KeyError):
        return None


def _parse_time(text: str) -> float:
    """Seconds; Docker writes up to nine digits after the point."""
    from datetime import datetime

    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float("0." + (rest or "0"))
