"""`make undeploy [DATA=delete]`: the stack goes; databases, pictures and secrets stay unless told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from docker.errors import APIError
from docker.types import Mount

from swarm import cli, jobs, nodes, state
from swarm.cluster import NAMESPACE, OWN, Cluster, Failed
from swarm.jobs import Like
from swarm.options import BadOption
from swarm.rollout import Say

PATIENCE = 120.0
DELETE = "delete"
ANYWHERE = ("logs-journal",)  # volumes that are on whatever node a replica stood


def undeploy(cluster: Cluster, data: str, say: Say = print) -> None:
    """Failed if something of the stack does not go. BadOption if DATA is not understood."""
    if data not in {"", "keep", DELETE}:
        raise BadOption(f"DATA={data} is neither keep nor delete.")
    image = _some_image(cluster)
    jobs.clean_up(cluster)
    if cluster.services():
        say(f"Removing the stack {cluster.stack}")
        cli.run(["stack", "rm", cluster.stack])
    _wait(lambda: cluster.services() or cluster.tasks(), "its tasks")
    _wait(lambda: _containers(cluster), "its containers")
    _wait(lambda: _networks(cluster), "its networks")
    if data != DELETE:
        say("The shop is down; its databases, pictures and secrets are kept. DATA=delete removes them.")
        return
    _volumes(cluster, image, say)
    _own(cluster)
    state.forget(cluster)
    say("The shop and everything that it kept are gone.")


def _some_image(cluster: Cluster) -> str:
    """Return an image of ours, which every node with data has: redis' is small."""
    services = cluster.services()
    spec = services.get("health") or services.get("redis")
    return str(spec["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]) if spec else ""


def _wait(left: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while left():
        if time.monotonic() > end:
            raise Failed(f"After {PATIENCE:.0f} s {what} are still there: docker ps, docker network ls.")
        time.sleep(0.5)


def _containers(cluster: Cluster) -> list[Any]:
    """Those of this node. Docker forgets tasks before their containers, which hold volumes, have ended."""
    return list(cluster.api.containers(all=True, filters={"label": f"{NAMESPACE}={cluster.stack}"}))


def _networks(cluster: Cluster) -> list[Any]:
    """Docker forgets to remove a network that was busy: asked again here."""
    found = cluster.api.networks(filters={"label": f"{NAMESPACE}={cluster.stack}"})
    for network in found:
        try:
            cluster.api.remove_network(network["Id"])
        except APIError:
            continue
    return list(found)


def _volumes(cluster: Cluster, image: str, say: Say) -> None:
    """Empty the volumes on the nodes that hold them, remove those of this node."""
    for node in cluster.nodes():
        labels = node["Spec"].get("Labels") or {}
        held = [label.removeprefix(nodes.PREFIX) for label in labels if label.startswith(nodes.PREFIX)]
        volumes = [f"{cluster.stack}_{name}" for name in (*held, *ANYWHERE) if name != "edge"]
        if node["ID"] != cluster.here and volumes and image and node["Status"]["State"] == "ready":
            _empty(cluster, node["ID"], volumes, image)
            say(f"  {node['Description']['Hostname']}: {len(volumes)} volumes emptied")
    _ended_containers(cluster)
    for volume in cluster.docker.volumes.list(filters={"label": f"{NAMESPACE}={cluster.stack}"}):
        volume.remove()


def _ended_containers(cluster: Cluster) -> None:
    """Of jobs and tasks that are over: Swarm removes them late, and they hold on to their volumes."""
    for container in cluster.docker.containers.list(
        all=True, filters={"status": "exited"}, ignore_removed=True
    ):
        if container.labels.get("com.docker.swarm.service.name", "").startswith(f"{cluster.stack}_"):
            container.remove(force=True)


def _empty(cluster: Cluster, node: str, volumes: list[str], image: str) -> None:
    mounts = [Mount(f"/volumes/{name}", name, type="volume") for name in volumes]
    jobs.run_job(
        cluster,
        Like(name="empty", image=image, user="0:0"),
        ["busybox", "find", "/volumes", "-mindepth", "2", "-delete"],
        mounts=mounts,
        constraints=[f"node.id == {node}"],
        capabilities=["DAC_OVERRIDE"],
    )


def _own(cluster: Cluster) -> None:
    """Secrets and configurations."""
    ours = {"label": f"{OWN}={cluster.stack}"}
    for secret in cluster.api.secrets(filters=ours):
        cluster.api.remove_secret(secret["ID"])
    for config in cluster.api.configs(filters=ours):
        cluster.api.remove_config(config["ID"])
