"""What the cluster itself must remember of a stack: which database leads, what was prepared, what ran before.

It is the content of a Docker configuration, `<stack>_state_v<N>`: every manager has it, and it outlives
`undeploy`. Configurations cannot be changed, so that a change is a new version, and the older ones go.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from docker.errors import APIError

from swarm.cluster import STACK_LABEL, Cluster

KIND = "hivemart.state"


def read(cluster: Cluster) -> dict[str, Any]:
    """Everything that is remembered; empty at first."""
    newest = max(_versions(cluster), key=lambda found: found[0], default=None)
    return dict(json.loads(base64.b64decode(newest[1]["Spec"]["Data"]))) if newest else {}


def write(cluster: Cluster, state: dict[str, Any]) -> None:
    """Remember this from now on."""
    older = _versions(cluster)
    if older and read(cluster) == state:
        return
    version = max((found[0] for found in older), default=0) + 1
    cluster.docker.configs.create(
        name=f"{cluster.stack}_state_v{version}",
        data=json.dumps(state, indent=1, sort_keys=True).encode(),
        labels={STACK_LABEL: cluster.stack, KIND: str(version)},
    )
    for _, config in older:
        cluster.api.remove_config(config["ID"])


def forget(cluster: Cluster) -> None:
    """As if the stack had never been."""
    for _, config in _versions(cluster):
        cluster.api.remove_config(config["ID"])


def database_host(cluster: Cluster, service: str) -> str:
    """Return the name of the CouchDB that this service writes to."""
    return str(read(cluster).get("database", {}).get(service, f"{service}-couch"))


def set_database_host(cluster: Cluster, service: str, host: str) -> None:
    """Make the service write to this CouchDB from the next deploy on."""
    state = read(cluster)
    write(cluster, state | {"database": state.get("database", {}) | {service: host}})


def _versions(cluster: Cluster) -> list[tuple[int, dict[str, Any]]]:
    try:
        found = cluster.api.configs(filters={"label": f"{STACK_LABEL}={cluster.stack}"})
    except APIError:
        return []
    labelled = [(config["Spec"]["Labels"].get(KIND), config) for config in found]
    return [(int(version), config) for version, config in labelled if version]
