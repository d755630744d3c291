"""Sizes and memory of a deployed stack, as Docker and the kernel count them."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from tests.swarm.stack import Stack


def image_sizes(stack: Stack) -> dict[str, int]:
    """MB of each image that the stack runs, by its short name; what they share is in each."""
    images = {
        service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        for service in stack.cluster.services().values()
    }
    sizes = {}
    for image in images:
        name = image.rpartition("/")[2].partition(":")[0].removeprefix("hivemart-")
        sizes[name] = round(stack.docker().images.get(image).attrs["Size"] / 1e6)
    return dict(sorted(sizes.items()))


def memory(stack: Stack) -> dict[str, Any]:
    """MB that this node's containers hold, without what the kernel can drop: as `docker stats` counts."""
    label = {"label": f"com.docker.stack.namespace={stack.given['STACK']}"}
    found = stack.docker().containers.list(filters=label)
    by_service: dict[str, float] = defaultdict(float)
    with ThreadPoolExecutor(8) as pool:
        for container, used in zip(found, pool.map(_used, found), strict=True):
            name = container.labels["com.docker.swarm.service.name"].removeprefix(f"{stack.given['STACK']}_")
            by_service[name] += used
    return {
        "total": round(sum(by_service.values())),
        "by_service": {name: round(used) for name, used in sorted(by_service.items())},
    }


def _used(container: Any) -> float:
    stats = container.stats(stream=False, one_shot=True)["memory_stats"]
    cache = stats.get("stats", {})
    droppable = cache.get("total_inactive_file", cache.get("inactive_file", 0))
    return float(stats.get("usage", 0) - droppable) / 1e6


def first_answer(stack: Stack, service: str, replicas: int) -> dict[str, float]:
    """Return the seconds from asking for one more replica until it runs, is healthy, and answers a shopper.

    Needs a load. The last is read in the log of the new replica, where every request is a line.
    """
    known = {container.id for container in stack.containers(service)}
    began = time.time()
    stack.scale(service, replicas)
    stack.wait_running(service, replicas)
    healthy = time.time() - began
    new = next(container for container in stack.containers(service) if container.id not in known)
    while time.time() - began < 60:
        for line in new.logs(stdout=True, stderr=True, timestamps=True).decode().splitlines():
            at, _, text = line.partition(" ")
            if "/api/" in text and "livez" not in text:
                answered = _moment(at) - began
                runs = _moment(new.attrs["State"]["StartedAt"]) - began
                return {
                    "runs": round(runs, 1),
                    "healthy": round(healthy, 1),
                    "first answer": round(answered, 1),
                }
        time.sleep(0.3)
    raise AssertionError(f"the new replica of {service} was asked nothing within 60 s")


def _moment(at: str) -> float:
    """Seconds since 1970 of Docker's way to write a time, which has nanoseconds."""
    return datetime.fromisoformat(at[:26].rstrip("Z") + "+00:00").timestamp()
