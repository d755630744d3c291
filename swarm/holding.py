"""Services that must not write for a while: held at no replicas, and opened again with as many as before.

What is held is remembered in the cluster, so that whoever was interrupted can go on or give up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from swarm import cli, state
from swarm.cluster import Cluster
from swarm.rollout import Say, Watch
from swarm.shop import processes_of

SCALERS = ("autoscale",)
"""would give the others replicas again"""


def processes(cluster: Cluster, services: Iterable[str]) -> list[str]:
    """The stack's services that write to the databases of these, and the autoscaler; those that there are."""
    there = cluster.services()
    wanted = [*SCALERS, *(name for service in services for name in processes_of(service))]
    return [name for name in wanted if name in there]


def held(cluster: Cluster) -> dict[str, int]:
    """Name -> the replicas that it had."""
    return dict(state.read(cluster).get("held", {}))


def hold(cluster: Cluster, names: Sequence[str], say: Say) -> None:
    """Let them end what they are at, and wait until they are gone."""
    say(f"Holding {', '.join(names)}")
    live, before = cluster.services(), held(cluster)
    counts = {name: live[name]["Spec"]["Mode"]["Replicated"]["Replicas"] for name in names}
    # One that is held already has nothing to remember: its number is in `before`.
    state.write(cluster, state.read(cluster) | {"held": counts | before})
    _scale(cluster, dict.fromkeys(names, 0), say)


def open_again(cluster: Cluster, say: Say, names: Iterable[str] | None = None) -> None:
    """As many replicas as before, of all that is held or of these; healthy afterwards, or Failed."""
    before = held(cluster)
    wanted = [name for name in (before if names is None else names) if name in before]
    if not wanted:
        return
    say(f"Opening {', '.join(wanted)}")
    _scale(cluster, {name: before[name] for name in wanted}, say)
    left = {name: count for name, count in before.items() if name not in wanted}
    state.write(cluster, {**state.read(cluster), "held": left})


def _scale(cluster: Cluster, counts: dict[str, int], say: Say) -> None:
    watch = Watch(cluster, counts, say)
    cli.run(
        ["service", "scale", "--detach", *(f"{cluster.stack}_{n}={count}" for n, count in counts.items())]
    )
    watch.until_healthy(cluster.options.timeout)
