"""As much of Docker's API as secrets, configurations and node labels need, in memory."""

from __future__ import annotations

import base64
import itertools
from types import SimpleNamespace
from typing import Any

from docker.errors import NotFound

from swarm.cluster import Cluster
from swarm.options import Options


class Api:
    """Answers as Docker does: lists of JSON objects."""

    def __init__(self) -> None:
        self._ids = map(str, itertools.count(1))
        self.kept: dict[str, dict[str, dict[str, Any]]] = {"secrets": {}, "configs": {}}
        self.values: dict[str, str] = {}
        self.live: list[dict[str, Any]] = []
        self.machines: list[dict[str, Any]] = [node("one", "manager")]

    def create_secret(self, name: str, data: str, labels: dict[str, str]) -> dict[str, str]:
        self.values[name] = data
        return self._keep("secrets", name, None, labels)

    def _keep(self, kind: str, name: str, data: bytes | None, labels: dict[str, str]) -> dict[str, str]:
        assert name not in {raw["Spec"]["Name"] for raw in self.kept[kind].values()}, "a name is taken"
        spec = {"Name": name, "Labels": dict(labels)}
        spec |= {} if data is None else {"Data": base64.b64encode(data).decode()}
        made = next(self._ids)
        self.kept[kind][made] = {"ID": made, "Spec": spec}
        return {"ID": made}

    def secrets(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        return self._with_label("secrets", filters)

    def configs(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        return self._with_label("configs", filters)

    def _with_label(self, kind: str, filters: dict[str, str]) -> list[dict[str, Any]]:
        name, _, value = filters["label"].partition("=")
        return [raw for raw in self.kept[kind].values() if raw["Spec"]["Labels"].get(name) == value]

    def remove_config(self, id: str) -> None:
        del self.kept["configs"][id]

    def remove_secret(self, id: str) -> None:
        del self.kept["secrets"][id]

    def services(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        return self.live

    def nodes(self) -> list[dict[str, Any]]:
        return self.machines

    def inspect_node(self, id: str) -> dict[str, Any]:
        return next(machine for machine in self.machines if machine["ID"] == id)

    def update_node(self, id: str, version: int, spec: dict[str, Any]) -> None:
        self.inspect_node(id)["Spec"] = spec


def node(name: str, role: str = "worker", *, state: str = "ready", **labels: str) -> dict[str, Any]:
    return {
        "ID": f"id-{name}",
        "Version": {"Index": 1},
        "Description": {"Hostname": name},
        "Status": {"State": state},
        "Spec": {"Role": role, "Availability": "active", "Labels": dict(labels)},
    }


def cluster(**options: Any) -> Cluster:
    """Return a manager of an empty Swarm of one node."""
    api = Api()

    def create(name: str, data: bytes, labels: dict[str, str]) -> None:
        api._keep("configs", name, data, labels)

    def get(name: str) -> None:
        if name not in {raw["Spec"]["Name"] for raw in api.kept["configs"].values()}:
            raise NotFound(name)

    return Cluster(
        SimpleNamespace(api=api, configs=SimpleNamespace(create=create, get=get)), Options(**options)
    )
