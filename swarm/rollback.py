"""`make rollback [SERVICE=catalog]`: the images of before the last deploy or update that changed them."""

from __future__ import annotations

from swarm import drift, state
from swarm.cluster import Cluster, Failed
from swarm.rollout import Say
from swarm.service_image import image_of
from swarm.shop import processes_of
from swarm.update import roll


def rollback(cluster: Cluster, service: str, say: Say = print) -> None:
    """One service with what works behind it, or all. Failed if nothing else ran before."""
    if service:
        cluster.service(service)
    previous = state.read(cluster).get("previous", {})
    services = cluster.services()
    names = processes_of(service) if service else tuple(previous)
    wanted = {name: previous[name] for name in names if name in previous and name in services}
    wanted = {name: image for name, image in wanted.items() if image_of(services[name]) != image}
    if not wanted:
        raise Failed(
            f"{service or 'The stack'} has run nothing else before: there is nothing to roll back to."
        )
    for name, image in wanted.items():
        say(f"  {name} back to {image}")
    roll(cluster, wanted, say)
    say("Rolled back. The next make deploy rolls to the work tree again.")
    drift.report(cluster, say)
