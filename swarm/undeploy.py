"""`make undeploy [DATA=delete]`: the stack goes; databases, pictures and secrets stay without DATA=delete."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from docker.errors import APIError
from docker.types import Mount

from swarm import cli, jobs, nodes, state
from swarm.cluster import NAMESPACE, STACK_LABEL, Cluster, Failed
from swarm.jobs import JobTemplate
from swarm.options import BadOption
from swarm.rollout import Say

REMOVE_SECONDS = 120.0
DELETE = "delete"
UNLABELLED_VOLUMES = ("logs-journal",)  # volumes that are on whatever node a replica stood


def undeploy(cluster: Cluster, data: str, say: Say = print) -> None:
    """Failed if something of the stack does not go. BadOption if DATA is not understood."""
    if data not in {"", "keep", DELETE}:
        raise BadOption(f"DATA={data} is neither keep nor delete.")
    image = _any_own_image(cluster)
    jobs.clean_up(cluster)
    if cluster.services():
        say(f"Removing the stack {cluster.stack}")
        cli.run(["stack", "rm", cluster.stack])
    _wait(lambda: cluster.services() or cluster.tasks(), "its tasks")
    _wait(lambda: _containers(cluster), "its containers")
    _wait(lambda: _remove_networks(cluster), "its networks")
    if data != DELETE:
        say("The shop is down; its databases, pictures and secrets are kept. DATA=delete removes them.")
        return
    _remove_volumes(cluster, image, say)
    _remove_secrets_and_configurations(cluster)
    state.forget(cluster)
    say("The shop and everything that it kept are gone.")


def _any_own_image(cluster: Cluster) -> str:
    """Return an image of ours, which every node with data has: redis' is small."""
    services = cluster.services()
    spec = services.get("health") or services.get("redis")
    return str(spec["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]) if spec else ""


def _wait(remaining: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + REMOVE_SECONDS
    while remaining():
        if time.monotonic() > end:
            raise Failed(
                f"After {REMOVE_SECONDS:.0f} s {what} are still there: docker ps, docker network ls."
            )
        time.sleep(0.5)


def _containers(cluster: Cluster) -> list[Any]:
    """Those of this node. Docker forgets tasks before their containers, which hold volumes, have ended."""
    return list(cluster.api.containers(all=True, filters={"label": f"{NAMESPACE}={cluster.stack}"}))


def _remove_networks(cluster: Cluster) -> list[Any]:
    """Docker forgets to remove a network that was busy: asked again here."""
    found = cluster.api.networks(filters={"label": f"{NAMESPACE}={cluster.stack}"})
    for network in found:
        try:
            cluster.api.remove_network(network["Id"])
        except APIError:
            continue
    return list(found)


def _remove_volumes(cluster: Cluster, image: str, say: Say) -> None:
    """Empty the volumes on the nodes that hold them, remove those of this node."""
    for node in cluster.nodes():
        labels = node["Spec"].get("Labels") or {}
        named = [label.removeprefix(nodes.PREFIX) for label in labels if label.startswith(nodes.PREFIX)]
        volumes = [f"{cluster.stack}_{name}" for name in (*named, *UNLABELLED_VOLUMES) if name != "edge"]
        if node["ID"] != cluster.node_id and volumes and image and node["Status"]["State"] == "ready":
            _empty_volumes(cluster, node["ID"], volumes, image)
            say(f"  {node['Description']['Hostname']}: {len(volumes)} volumes emptied")
    _remove_ended_containers(cluster)
    for volume in cluster.docker.volumes.list(filters={"label": f"{NAMESPACE}={cluster.stack}"}):
        volume.remove()


def _remove_ended_containers(cluster: Cluster) -> None:
    """Of jobs and tasks that are over: Swarm removes them late, and they hold on to their volumes."""
    for container in cluster.docker.containers.list(
        all=True, filters={"status": "exited"}, ignore_removed=True
    ):
        if container.labels.get("com.docker.swarm.service.name", "").startswith(f"{cluster.stack}_"):
            container.remove(force=True)


def _empty_volumes(cluster: Cluster, node: str, volumes: list[str], image: str) -> None:
    mounts = [Mount(f"/volumes/{name}", name, type="volume") for name in volumes]
    jobs.run_job(
        cluster,
        JobTemplate(name="empty", image=image, user="0:0"),
        ["busybox", "find", "/volumes", "-mindepth", "2", "-delete"],
        mounts=mounts,
        constraints=[f"node.id == {node}"],
        capabilities=["DAC_OVERRIDE"],
    )


def _remove_secrets_and_configurations(cluster: Cluster) -> None:
    """Secrets and configurations."""
    ours = {"label": f"{STACK_LABEL}={cluster.stack}"}
    for secret in cluster.api.secrets(filters=ours):
        cluster.api.remove_secret(secret["ID"])
    for config in cluster.api.configs(filters=ours):
        cluster.api.remove_config(config["ID"])
