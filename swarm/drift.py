"""Compare what runs, read from the running tasks, with what should (swarm/expected.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from docker.errors import APIError

from swarm import expected, maintenance
from swarm.cluster import Cluster, Failed
from swarm.expected import Expected, digest
from swarm.rollout import Say
from swarm.service_image import image_of
from swarm.shop import autoscaled

Raw = Mapping[str, Any]
MAX_SHOWN = 5  # names in one sentence


class ImageIds:
    """Ids of the images that containers of this node were made of; a container never changes its own."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, str] = {}

    def of(self, task: Raw) -> str:
        """Empty for a task on another node, which only its own Docker can be asked about."""
        container = task["Status"].get("ContainerStatus", {}).get("ContainerID", "")
        if container and container not in self._known:
            self._known[container] = self._inspect(container)
        return self._known.get(container, "")

    def _inspect(self, container: str) -> str:
        try:
            return str(self._cluster.api.inspect_container(container)["Image"])
        except APIError:
            return ""


def find(cluster: Cluster, ids: ImageIds | None = None) -> list[str]:
    """Return a sentence for each difference between what should run and what runs."""
    wanted = expected.read(cluster)
    if not wanted:
        return []
    ids = ids or ImageIds(cluster)
    services, tasks, stopped = cluster.services(), cluster.tasks(), maintenance.stopped_services(cluster)
    found = [f"{name} is not there" for name in sorted(wanted.keys() - services.keys())]
    for name in sorted(wanted.keys() & services.keys()):
        service = services[name]
        own = [task for task in tasks.get(service["ID"], []) if is_running(task)]
        differences = dict.fromkeys(
            text for task in own for text in _task_differences(wanted[name], task, ids)
        )
        if name not in stopped:
            differences |= dict.fromkeys(_replica_differences(wanted[name], service))
        found += [f"{name} {text}" for text in differences]
    return found


def outdated(cluster: Cluster, names: Iterable[str]) -> list[str]:
    """Services of these with a running task of another image than its name means on this machine by now."""
    services, tasks, ids = cluster.services(), cluster.tasks(), ImageIds(cluster)
    newest = {name: expected.image_id(cluster, image_of(services[name])) for name in names}
    return [
        name
        for name, newest_id in newest.items()
        if newest_id
        and any(
            (id := ids.of(task)) and id != newest_id
            for task in tasks.get(services[name]["ID"], [])
            if is_running(task)
        )
    ]


def check(cluster: Cluster) -> None:
    """Failed, with every difference, if anything runs that should not."""
    found = find(cluster)
    if found:
        raise Failed("\n  ".join(["The stack is not as it was deployed:", *found]))


def report(cluster: Cluster, say: Say) -> None:
    """Print each difference after a verb that succeeded."""
    for line in find(cluster):
        say(f"  not as deployed: {line}")


def is_running(task: Raw) -> bool:
    """Return True if the task is to run and does."""
    return bool(task["DesiredState"] == task["Status"]["State"] == "running")


def _task_differences(wanted: Expected, task: Raw, ids: ImageIds) -> Iterator[str]:
    container = task["Spec"]["ContainerSpec"]
    if container["Image"] != wanted.image:
        yield f"runs {container['Image']}, not {wanted.image}"
    elif (id := ids.of(task)) and wanted.image_id and id != wanted.image_id:
        yield f"runs an older image of the name {wanted.image}"
    settings = dict(line.partition("=")[::2] for line in container.get("Env") or [])
    given = {name: digest(value) for name, value in settings.items()}
    yield from _summarize("has other settings", _differing_names(wanted.settings, given))
    yield from _summarize(
        "has other secrets or configurations", _differing_names(wanted.files, _files(container))
    )
    yield from _limit_differences(wanted, task["Spec"].get("Resources", {}).get("Limits", {}))


def _files(container: Raw) -> dict[str, str]:
    """File -> Docker's name of what is in it."""
    kinds = (("Secrets", "SecretName"), ("Configs", "ConfigName"))
    return {raw["File"]["Name"]: raw[key] for kind, key in kinds for raw in container.get(kind) or []}


def _differing_names(wanted: Mapping[str, str], given: Mapping[str, str]) -> list[str]:
    return sorted(name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name))


def _summarize(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
        yield f"{what}: {', '.join(names[:MAX_SHOWN])}{more}"


def _limit_differences(wanted: Expected, limits: Raw) -> Iterator[str]:
    nano, memory = limits.get("NanoCPUs"), limits.get("MemoryBytes") or None
    cpus = nano / 1e9 if nano else None
    if cpus != wanted.cpus:
        yield f"may use {_limit(cpus)} CPUs, not {_limit(wanted.cpus)}"
    if memory != wanted.memory:
        yield f"may use {_limit(memory)} bytes of memory, not {_limit(wanted.memory)}"


def _limit(value: float | None) -> str:
    return "any number of" if value is None else f"{value:,}"


def _replica_differences(wanted: Expected, service: Raw) -> Iterator[str]:
    count = service["Spec"]["Mode"].get("Replicated", {}).get("Replicas")
    if count is None:
        return
    if wanted.replicas is not None and count != wanted.replicas:
        yield f"has {count} replicas, not {wanted.replicas}"
    labels = service["Spec"].get("Labels") or {}
    if autoscaled(labels):
        minimum, maximum = labels.get("autoscale.min", ""), labels.get("autoscale.max", "")
        if (minimum.isdecimal() and count < int(minimum)) or (maximum.isdecimal() and count > int(maximum)):
            yield f"has {count} replicas, and the autoscaler keeps {minimum} to {maximum}"
