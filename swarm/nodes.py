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


def ensure_labels(cluster: Cluster) -> list[str]:
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
    placement = _Placement(nodes, usable)
    for service in SERVICES:
        placement.assign(label_of(f"{service}-couch"))
    if azurite:
        placement.assign(label_of("azurite"))
    for service in WITH_STANDBY:
        placement.assign(
            label_of(f"{service}-standby"), other_than=placement.node_of(label_of(f"{service}-couch"))
        )
    if not _node_with_label(nodes, EDGE):
        for node in usable:
            if node["Spec"]["Role"] == "manager":
                placement.wanted.setdefault(node["ID"], []).append(EDGE)
    return placement.wanted


class _Placement:
    """Which node holds what, and is to."""

    def __init__(self, nodes: Sequence[Node], usable: Sequence[Node]) -> None:
        self._nodes, self._usable = nodes, usable
        self._volume_counts = Counter({node["ID"]: _count_volumes(node) for node in usable})
        self.wanted: dict[str, list[str]] = {}

    def node_of(self, label: str) -> str:
        """Id of the node that has the label, or is to get it."""
        there = _node_with_label(self._nodes, label)
        return there or next(node for node, labels in self.wanted.items() if label in labels)

    def assign(self, label: str, *, other_than: str = "") -> None:
        """Give the label to the node with the least data, if no node has it and there is one for it."""
        others = [node for node in self._usable if node["ID"] != other_than]
        if _node_with_label(self._nodes, label) or not others:
            return
        order = {
            node["ID"]: (self._volume_counts[node["ID"]], node["Description"]["Hostname"]) for node in others
        }
        chosen = min(order, key=lambda node: order[node])
        self._volume_counts[chosen] += 1
        self.wanted.setdefault(chosen, []).append(label)


def _ready(node: Node) -> bool:
    return (node["Status"]["State"], node["Spec"]["Availability"]) == ("ready", "active")


def _count_volumes(node: Node) -> int:
    labels = node["Spec"].get("Labels") or {}
    return sum(name.startswith(PREFIX) and name != EDGE for name in labels)


def _node_with_label(nodes: Iterable[Node], label: str) -> str | None:
    """Id of the node that has this label."""
    return next(
        (node["ID"] for node in nodes if (node["Spec"].get("Labels") or {}).get(label) == "true"), None
    )


def require_node_for(cluster: Cluster, volume: str) -> None:
    """Failed, with what to do, if no node is there for this data."""
    label = label_of(volume)
    if _node_with_label(cluster.nodes(), label) is None:
        raise Failed(
            f"No node has the label {label}=true, so {volume} has no place: it belongs on another machine"
            " than its sister. Let another node join and make deploy, or name one yourself:"
            f" docker node update --label-add {label}=true NODE"
        )


def _label(cluster: Cluster, node_id: str, labels: Iterable[str]) -> None:
    node = cluster.api.inspect_node(node_id)
    spec = {**node["Spec"], "Labels": {**(node["Spec"].get("Labels") or {}), **dict.fromkeys(labels, "true")}}
    cluster.api.update_node(node_id, node["Version"]["Index"], spec)


def has_several_nodes(cluster: Cluster) -> bool:
    """Whether a task can stand on another node than its sister."""
    return sum(map(_ready, cluster.nodes())) > 1
