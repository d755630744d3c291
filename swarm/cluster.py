"""A Swarm as seen from one of its managers: connecting to it, and what every verb asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import DockerException

from swarm.options import Options

OWN = "hivemart.stack"
"""label of every secret, configuration and job that belongs to a stack; its value is the stack's name"""
NAMESPACE = "com.docker.stack.namespace"


class Failed(Exception):
    """The text is for the person at the terminal: what went wrong, and what to do."""


@dataclass(frozen=True)
class Cluster:
    """Docker on a manager, and the stack that is meant."""

    docker: Any
    options: Options

    @property
    def stack(self) -> str:
        return self.options.stack

    @property
    def api(self) -> Any:
        """The low-level client: plain JSON of Docker's API."""
        return self.docker.api

    def services(self) -> dict[str, dict[str, Any]]:
        """The stack's services as Docker tells of them, by their name without the stack's."""
        found = self.api.services(filters={"label": f"{NAMESPACE}={self.stack}"})
        return {service["Spec"]["Name"].removeprefix(f"{self.stack}_"): service for service in found}

    def service(self, name: str) -> dict[str, Any]:
        """One service of the stack. Failed if there is none of that name."""
        services = self.services()
        if name in services:
            return services[name]
        if not services:
            raise Failed(f"Nothing is deployed as {self.stack}: make deploy first, or say which STACK.")
        raise Failed(f"There is no service {name}; there are: {', '.join(sorted(services))}.")

    def tasks(self) -> dict[str, list[dict[str, Any]]]:
        """All tasks of the stack by service id, newest first."""
        found: dict[str, list[dict[str, Any]]] = {}
        tasks = self.api.tasks(filters={"label": f"{NAMESPACE}={self.stack}"})
        for task in sorted(tasks, key=lambda task: task["CreatedAt"], reverse=True):
            found.setdefault(task["ServiceID"], []).append(task)
        return found

    def nodes(self) -> list[dict[str, Any]]:
        return list(self.api.nodes())

    @property
    def here(self) -> str:
        """Id of this node."""
        return str(self.docker.info()["Swarm"]["NodeID"])


def connect(options: Options) -> Cluster:
    """A manager of a Swarm. Failed, with what to do, when there is none."""
    try:
        client = docker.from_env(timeout=60)
        swarm = client.info()["Swarm"]
    except DockerException as error:
        raise Failed(f"Docker does not answer ({_short(error)}): install it, start it, and let this user "
                     "use it (docs/operations.md).") from error  # fmt: skip
    if swarm["LocalNodeState"] != "active":
        raise Failed("This machine is in no Swarm: run `docker swarm init` first, or join one as a manager.")
    if not swarm["ControlAvailable"]:
        raise Failed("This node is a worker: run this on a manager of the Swarm.")
    return Cluster(client, options)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:160]
