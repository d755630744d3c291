"""`make scale SERVICE=catalog REPLICAS=3`: that many replicas, from now on; a deploy keeps the number."""

from __future__ import annotations

from swarm import cli
from swarm.cluster import Cluster
from swarm.options import BadOption
from swarm.rollout import RolloutWatcher, Say
from swarm.shop import SCALABLE, autoscaled

MAX_REPLICAS = 100


def scale(cluster: Cluster, service: str, replicas: str, say: Say = print) -> None:
    """BadOption when that makes no sense, Failed when the replicas do not get healthy."""
    if service not in SCALABLE:
        raise BadOption(f"SERVICE={service} cannot be scaled; these can: {', '.join(SCALABLE)}.")
    if not replicas.isdecimal() or int(replicas) > MAX_REPLICAS:
        raise BadOption(f"REPLICAS={replicas} is not a whole number from 0 to {MAX_REPLICAS}.")
    spec = cluster.service(service)["Spec"]
    watch = RolloutWatcher(cluster, [service], say)
    cli.run(["service", "scale", "--detach", f"{cluster.stack}_{service}={replicas}"])
    watch.until_healthy(cluster.options.timeout)
    say(f"{service} has {replicas} replicas now.")
    labels = spec.get("Labels", {})
    if autoscaled(labels):
        span = f"{labels.get('autoscale.min', '1')} to {labels.get('autoscale.max', '10')}"
        say(f"The autoscaler may change that again (from {span}).")
