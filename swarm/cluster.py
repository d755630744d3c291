"""A Swarm as seen from one of its managers: connecting to it, and what every verb asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docker
from docker import auth
from docker.errors import APIError, DockerException

from swarm.options import Options

STACK_LABEL = "hivemart.stack"
"""label of every secret, configuration and job that belongs to a stack; its value is the stack's name"""
NAMESPACE = "com.docker.stack.namespace"
Specification = dict[str, Any]
_ATTEMPTS = 5  # Swarm itself writes to a service while it rolls it


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
        """Return the stack's services as Docker describes them, by their name without the stack's."""
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

    def update_service(self, name: str, build: Callable[[dict[str, Any]], Specification]) -> None:
        """Give a service the specification that `build` makes of it, without waiting.

        Docker's own command would not do: it mixes up the order of what is mounted, and the next deploy
        would roll the service. Raises Failed when Docker refuses.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            service = self.service(name)
            try:
                self._post_update(service, build(service))
            except APIError as error:
                if attempt == _ATTEMPTS or "out of sequence" not in str(error):
                    raise Failed(f"{name} is not updated: {error.explanation}") from error
            else:
                return

    def _post_update(self, service: dict[str, Any], spec: Specification) -> None:
        url = self.api._url("/services/{0}/update", service["ID"])
        params, headers = {"version": service["Version"]["Index"]}, {}
        if self.options.registry:  # nodes that lack the image fetch it with what this user may
            registry, _ = auth.resolve_repository_name(_image(spec))
            header = auth.get_config_header(self.api, registry)
            headers = {"X-Registry-Auth": header} if header else {}
        answer = self.api._post_json(url, data=spec, params=params, headers=headers)
        self.api._raise_for_status(answer)

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
    def node_id(self) -> str:
        """Id of this node."""
        return str(self.docker.info()["Swarm"]["NodeID"])


def connect(options: Options) -> Cluster:
    """Return a manager of a Swarm. Failed, with what to do, when there is none."""
    try:
        client = docker.from_env(timeout=60)
        swarm = client.info()["Swarm"]
    except DockerException as error:
        raise Failed(f"Docker does not answer ({_first_line(error)}): install it, start it, and let "
                     "this user use it (docs/operations.md).") from error  # fmt: skip
    if swarm["LocalNodeState"] != "active":
        raise Failed("This machine is in no Swarm: run `docker swarm init` first, or join one as a manager.")
    if not swarm["ControlAvailable"]:
        raise Failed("This node is a worker: run this on a manager of the Swarm.")
    return Cluster(client, options)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160]


def _image(spec: Specification) -> str:
    return str(spec["TaskTemplate"]["ContainerSpec"]["Image"])
