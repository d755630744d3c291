"""Which node holds which data, and where the door is: labels that are set once and then stay.

A database stands where its volume is. Whoever moves one moves the volume and the label with it
(docs/operations.md); nothing here moves a label that is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local.data import SERVICES
from swarm.cluster import Cluster, Failed
from swarm.shop import WITH_STANDBY

PREFIX = "hivemart."
EDGE = f"{PREFIX}edge"
Node = Mapping[str, Any]


def label_of(volume: str) -> str:
    """Return the label of the node where this data is: `auth-couch` -> hivemart.auth-couch."""
    return f"{PREFIX}{volume}"


def ensure(cluster: Cluster) -> list[str]:
    """Label nodes where a label is missing; a sentence for each. Failed if there is no node for it."""
    nodes = cluster.nodes()
    wanted = plan(nodes, azurite=not cluster.options.blob_store)
    for node_id, labels in wanted.items():
        _label(cluster, node_id, labels)
    names = {node["ID"]: node["Description"]["Hostname"] for node in nodes}
    return [
        f"{names[node_id]} holds {', '.join(name.removeprefix(PREFIX) for name in labels)}"
        for node_id, labels in wanted.items()
    ]


def plan(nodes: Sequence[Node], *, azurite: bool) -> dict[str, list[str]]:
    """Node id -> the labels that it is to get; data goes where the least is, a standby to another node."""
    usable = [node for node in nodes if _ready(node)]
    if not usable:
        raise Failed("No node of the Swarm is ready and active: see `docker node ls`.")
    places = _Places(nodes, usable)
    for service in SERVICES:
        places.put(label_of(f"{service}-couch"))
    if azurite:
        places.put(label_of("azurite"))
    for service in WITH_STANDBY:
        places.put(label_of(f"{service}-standby"), apart_from=places.of(label_of(f"{service}-couch")))
    if not _holder(nodes, EDGE):
        for node in usable:
            if node["Spec"]["Role"] == "manager":
                places.wanted.setdefault(node["ID"], []).append(EDGE)
    return places.wanted


class _Places:
    """Which node holds what, and is to."""

    def __init__(self, nodes: Sequence[Node], usable: Sequence[Node]) -> None:
        self._nodes, self._usable = nodes, usable
        self._held = Counter({node["ID"]: _data_on(node) for node in usable})
        self.wanted: dict[str, list[str]] = {}

    def of(self, label: str) -> str:
        """Id of the node that has the label, or is to get it."""
        there = _holder(self._nodes, label)
        return there or next(node for node, labels in self.wanted.items() if label in labels)

    def put(self, label: str, *, apart_from: str = "") -> None:
        """Give the label to the node with the least data, if no node has it and there is one for it."""
        others = [node for node in self._usable if node["ID"] != apart_from]
        if _holder(self._nodes, label) or not others:
            return
        order = {node["ID"]: (self._held[node["ID"]], node["Description"]["Hostname"]) for node in others}
        chosen = min(order, key=lambda node: order[node])
        self._held[chosen] += 1
        self.wanted.setdefault(chosen, []).append(label)


def _ready(node: Node) -> bool:
    return (node["Status"]["State"], node["Spec"]["Availability"]) == ("ready", "active")


def _data_on(node: Node) -> int:
    labels = node["Spec"].get("Labels") or {}
    return sum(name.startswith(PREFIX) and name != EDGE for name in labels)


def _holder(nodes: Iterable[Node], label: str) -> str | None:
    """Id of the node that has this label."""
    return next(
        (node["ID"] for node in nodes if (node["Spec"].get("Labels") or {}).get(label) == "true"), None
    )


def refuse_without(cluster: Cluster, volume: str) -> None:
    """Failed, with what to do, if no node is there for this data."""
    label = label_of(volume)
    if _holder(cluster.nodes(), label) is None:
        raise Failed(
            f"No node has the label {label}=true, so {volume} has no place: it belongs on another machine"
            " than its sister. Let another node join and make deploy, or name one yourself:"
            f" docker node update --label-add {label}=true NODE"
        )


def _label(cluster: Cluster, node_id: str, labels: Iterable[str]) -> None:
    node = cluster.api.inspect_node(node_id)
    spec = {**node["Spec"], "Labels": {**(node["Spec"].get("Labels") or {}), **dict.fromkeys(labels, "true")}}
    cluster.api.update_node(node_id, node["Version"]["Index"], spec)


def more_than_one(cluster: Cluster) -> bool:
    """Whether a task can stand on another node than its sister."""
    return sum(map(_ready, cluster.nodes())) > 1
