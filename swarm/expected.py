"""What each service of a stack should run: recorded by every verb that changes it, in the cluster itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from docker.errors import APIError

from swarm import jobs, state
from swarm.cluster import Cluster
from swarm.shop import SCALABLE, WITH_STANDBY

STATE_KEY = "expected"
_UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"([0-9.]+)([BKMG]?)B?\Z", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the tasks of one service should have.

    `image_id` is Docker's id of the image, empty where this machine does not have it. `settings` maps a
    variable to a digest of its value, `files` a file to Docker's name of the secret or configuration in it.
    `cpus` are cores, `memory` bytes; `replicas` is None where the number is not the stack files'.
    """

    image: str
    image_id: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    cpus: float | None = None
    memory: int | None = None
    replicas: int | None = None


def digest(value: str) -> str:
    """Return a short hash that compares settings without showing their values."""
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def image_id(cluster: Cluster, reference: str) -> str:
    """Return the id of the image of this name on this machine; empty if it is not here."""
    try:
        return str(cluster.api.inspect_image(reference)["Id"])
    except APIError:
        return ""


def read(cluster: Cluster) -> dict[str, Expected]:
    """By service; empty until a deploy of this version has ended."""
    return {name: Expected(**stored) for name, stored in state.read(cluster).get(STATE_KEY, {}).items()}


def write(cluster: Cluster, expected: Mapping[str, Expected]) -> None:
    stored = {name: asdict(each) for name, each in expected.items()}
    state.write(cluster, {**state.read(cluster), STATE_KEY: stored})


def from_compose(cluster: Cluster, document: Mapping[str, Any]) -> dict[str, Expected]:
    """Return what the stack files say (swarm/compose.py)."""
    return {name: _service_from_compose(cluster, document, name) for name in document["services"]}


def _service_from_compose(cluster: Cluster, document: Mapping[str, Any], name: str) -> Expected:
    job = jobs.from_compose(cluster, document, name)
    deploy = document["services"][name].get("deploy", {})
    limits = deploy.get("resources", {}).get("limits", {})
    return Expected(
        image=job.image,
        image_id=image_id(cluster, job.image),
        settings={variable: digest(value) for variable, value in job.env.items()},
        files={each.target: each.docker_name for each in (*job.secrets, *job.configs)},
        cpus=float(limits["cpus"]) if "cpus" in limits else None,
        memory=_bytes(str(limits["memory"])) if "memory" in limits else None,
        replicas=None if _has_live_replica_count(name, deploy) else int(deploy.get("replicas", 1)),
    )


def _has_live_replica_count(name: str, deploy: Mapping[str, Any]) -> bool:
    """Return True if the number of replicas is a person's, the autoscaler's or the number of nodes."""
    stores = {f"{service}-{kind}" for service in WITH_STANDBY for kind in ("couch", "standby")}
    return name in SCALABLE or name in stores or deploy.get("mode") == "global"


def _bytes(text: str) -> int:
    """As Docker reads a size: `384M` is 384 MiB."""
    found = _SIZE.match(text.strip())
    if found is None:
        raise ValueError(f"{text} is no size")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def set_images(cluster: Cluster, images: Mapping[str, str]) -> None:
    """Expect these services to run these images from now on."""
    known = read(cluster)
    changed = {
        name: replace(known[name], image=image, image_id=image_id(cluster, image))
        for name, image in images.items()
        if name in known
    }
    write(cluster, {**known, **changed})


def set_files_and_settings(
    cluster: Cluster, name: str, *, files: Mapping[str, str], settings: Mapping[str, str]
) -> None:
    """Expect these secrets in the files of the service, and these values of settings, from now on."""
    known = read(cluster)
    if name not in known:
        return
    digests = {variable: digest(value) for variable, value in settings.items()}
    changed = replace(
        known[name],
        files={**known[name].files, **files},
        settings={**known[name].settings, **digests},
    )
    write(cluster, {**known, name: changed})
