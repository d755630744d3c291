"""Changing what running services are given, one rolling update each; back again for all when one fails."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swarm import cli, expected
from swarm.cluster import Cluster, Failed
from swarm.rollout import RolloutWatcher, Say


@dataclass(frozen=True)
class Change:
    """What a service's tasks are to have from now on."""

    secrets: Mapping[str, str] = field(default_factory=dict)
    """file -> Docker's name of the secret that is to be in it"""
    env: Mapping[str, str] = field(default_factory=dict)


def roll(cluster: Cluster, changes: Mapping[str, Change], say: Say) -> bool:
    """Roll the services that have to change; return True if any had to.

    Raises Failed, with the reason and everything as before, when one of them does not come up.
    """
    wanted = {name: change for name, change in changes.items() if differs(cluster.service(name), change)}
    if not wanted:
        return False
    watch = RolloutWatcher(cluster, wanted, say)
    for name, change in wanted.items():
        update(cluster, name, change)
    try:
        rolled_back = [status.name for status in watch.until_healthy(cluster.options.timeout)]
        why = (
            f"Swarm rolled back {', '.join(rolled_back)}:\n  {watch.explain(rolled_back)}"
            if rolled_back
            else ""
        )
    except Failed as error:
        rolled_back, why = [], str(error)
    if why:
        _roll_back(cluster, [name for name in wanted if name not in rolled_back], say)
        raise Failed(f"{why}\nEverything is as it was before.")
    for name, change in wanted.items():
        expected.set_files_and_settings(cluster, name, files=change.secrets, settings=change.env)
    return True


def _roll_back(cluster: Cluster, names: Sequence[str], say: Say) -> None:
    if not names:
        return
    say(f"Rolling back {', '.join(names)}")
    watch = RolloutWatcher(cluster, names, say)
    for name in names:
        cli.roll_back(f"{cluster.stack}_{name}")
    watch.until_healthy(cluster.options.timeout)


def update(cluster: Cluster, name: str, change: Change) -> None:
    """Give the change to the service, without waiting."""
    ids = {raw["Spec"]["Name"]: raw["ID"] for raw in cluster.api.secrets()} if change.secrets else {}
    cluster.update_service(name, lambda service: specification(service, change, ids))


def differs(service: Mapping[str, Any], change: Change) -> bool:
    """Failed if the service has no such file."""
    container = _container(service["Spec"])
    files = _files(service)
    secrets = any(files[file]["SecretName"] != name for file, name in change.secrets.items())
    env = container.get("Env") or []
    return secrets or any(f"{name}={value}" not in env for name, value in change.env.items())


def specification(service: Mapping[str, Any], change: Change, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the service's specification with the change, ordered as `docker stack deploy` does.

    `ids` of secrets by name. A file keeps its owner and mode. Raises Failed if the service has no such file.
    """
    files = _files(service)
    for file, name in change.secrets.items():
        files[file] = {**files[file], "SecretName": name, "SecretID": ids[name]}
    spec = copy.deepcopy(dict(service["Spec"]))
    container = _container(spec)
    if change.secrets:
        container["Secrets"] = sorted(files.values(), key=lambda secret: secret["SecretName"])
    if change.env:
        env = dict(line.partition("=")[::2] for line in container.get("Env") or [])
        container["Env"] = sorted(f"{name}={value}" for name, value in {**env, **change.env}.items())
    return spec


def _container(spec: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = spec["TaskTemplate"]["ContainerSpec"]
    return found


def _files(service: Mapping[str, Any]) -> SecretFiles:
    return SecretFiles(service["Spec"]["Name"], _container(service["Spec"]).get("Secrets") or [])


class SecretFiles(dict[str, dict[str, Any]]):
    """A service's references to secrets by their file's name."""

    def __init__(self, service: str, references: Sequence[Mapping[str, Any]]) -> None:
        super().__init__({raw["File"]["Name"]: dict(raw) for raw in references})
        self._service = service

    def __missing__(self, file: str) -> dict[str, Any]:
        raise Failed(f"{self._service} has no secret {file}: make deploy brings it up to date.")
