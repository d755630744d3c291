"""The image in a service's specification: read it, change it, label it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from swarm.cluster import Cluster

STACK_IMAGE = "com.docker.stack.image"
"""the label in which `docker stack deploy` keeps the image that it was last given"""


def image_of(service: Mapping[str, Any]) -> str:
    return str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def with_image(service: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Return the service's specification with another image, or with what that name means by now.

    The label goes with it: `docker stack deploy` takes an image that equals the label for unchanged, and
    keeps what runs.
    """
    spec = copy.deepcopy(dict(service["Spec"]))
    template = spec["TaskTemplate"]
    if template["ContainerSpec"]["Image"] == image:
        template["ForceUpdate"] = template.get("ForceUpdate", 0) + 1
    template["ContainerSpec"]["Image"] = image
    spec["Labels"] = {**(spec.get("Labels") or {}), STACK_IMAGE: image}
    return spec


def label_images(cluster: Cluster) -> None:
    """Let the label of each service say which image it has, whoever changed that; no task is rolled by it."""
    for name, service in cluster.services().items():
        if (service["Spec"].get("Labels") or {}).get(STACK_IMAGE) != image_of(service):
            cluster.update_service(name, _labelled)


def _labelled(service: Mapping[str, Any]) -> dict[str, Any]:
    labels = {**(service["Spec"].get("Labels") or {}), STACK_IMAGE: image_of(service)}
    return {**service["Spec"], "Labels": labels}
