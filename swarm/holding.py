"""Services that must not write for a while: held at no replicas, and opened again with as many as before.

What is held is remembered in the cluster, so that whoever was interrupted can go on or give up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from swarm import cli, state
from swarm.cluster import Cluster
from swarm.rollout import Say, Watch
from swarm.shop import processes_of

SCALED = "autoscale.enabled"  # the label by which the autoscaler knows what it may scale


def processes(cluster: Cluster, services: Iterable[str]) -> list[str]:
    """The stack's services that write to the databases of these."""
    there = cluster.services()
    return [name for service in services for name in processes_of(service) if name in there]


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
    _scale(cluster, dict.fromkeys(names, 0), "false", say)


def open_again(cluster: Cluster, say: Say, names: Iterable[str] | None = None) -> None:
    """As many replicas as before, of all that is held or of these; healthy afterwards, or Failed."""
    before = held(cluster)
    wanted = [name for name in (before if names is None else names) if name in before]
    if not wanted:
        return
    say(f"Opening {', '.join(wanted)}")
    _scale(cluster, {name: before[name] for name in wanted}, "true", say)
    left = {name: count for name, count in before.items() if name not in wanted}
    state.write(cluster, {**state.read(cluster), "held": left})


def _scale(cluster: Cluster, counts: dict[str, int], scaled: str, say: Say) -> None:
    """With the autoscaler kept away from what is held, and let in again."""
    watch, there = Watch(cluster, counts, say), cluster.services()
    for name, count in counts.items():
        label = ["--label-add", f"{SCALED}={scaled}"] if SCALED in there[name]["Spec"]["Labels"] else []
        options = ["--detach", "--no-resolve-image", "--replicas", str(count), *label]
        cli.run(["service", "update", *options, f"{cluster.stack}_{name}"])
    watch.until_healthy(cluster.options.timeout)
