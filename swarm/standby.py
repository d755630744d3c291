"""`make standby [SERVICE=checkout]`: the databases that must not be lost have a second one that follows.

Which of the two leads is remembered in the cluster; the other one follows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from swarm import cli, nodes, state
from swarm.admin import run_manage, run_manage_with_exit_code
from swarm.cluster import Cluster, Failed
from swarm.options import BadOption
from swarm.rollout import RolloutWatcher, Say
from swarm.shop import WITH_STANDBY

SEED_SECONDS = 1800.0
STATE_KEY = "standby"  # the key of what is remembered: service -> "leader follower"


@dataclass(frozen=True)
class Pair:
    """Which CouchDB of a service leads, and which one follows."""

    service: str
    leader: str
    follower: str

    @property
    def text(self) -> str:
        return f"{self.leader} {self.follower}"


def pair_of(cluster: Cluster, service: str) -> Pair:
    if service not in WITH_STANDBY:
        raise BadOption(f"SERVICE={service} has no standby; these have: {', '.join(WITH_STANDBY)}.")
    leader = state.database_host(cluster, service)
    hosts = (f"{service}-couch", f"{service}-standby")
    return Pair(service, leader, hosts[leader == hosts[0]])


def standby(cluster: Cluster, service: str = "", anew: str = "", say: Say = print) -> None:
    """Bring the followers up, start them, and wait until they have everything.

    ANEW=yes deletes what a former leader has that the present one has not.
    """
    for name in [service] if service else WITH_STANDBY:
        start(cluster, pair_of(cluster, name), say, anew=anew == "yes")


def start(cluster: Cluster, pair: Pair, say: Say, *, anew: bool = False) -> None:
    nodes.require_node_for(cluster, pair.follower)
    if replicas(cluster, pair.follower) == 0:
        scale(cluster, pair.follower, 1, say)
    options = ["--anew"] if anew else []
    arguments = ["standby", "start", "--to", pair.follower, "--wait", str(SEED_SECONDS), *options]
    for line in run_manage(cluster, pair.service, arguments, timeout=SEED_SECONDS + 60):
        say(f"  {line}")
    current = state.read(cluster)
    state.write(cluster, {**current, STATE_KEY: {**current.get(STATE_KEY, {}), pair.service: pair.text}})


def ensure(cluster: Cluster, say: Say) -> None:
    """Start those followers that run and do not follow yet: a deploy ends with it."""
    following = state.read(cluster).get(STATE_KEY, {})
    for service in WITH_STANDBY:
        pair = pair_of(cluster, service)
        if replicas(cluster, pair.follower) and following.get(service) != pair.text:
            start(cluster, pair, say)


def restart_replication(cluster: Cluster, say: Say) -> None:
    """After the leaders were filled anew: what the followers have is of before."""
    for service in WITH_STANDBY:
        pair = pair_of(cluster, service)
        if replicas(cluster, pair.follower):
            start(cluster, pair, say, anew=True)


def stop(cluster: Cluster, pair: Pair, say: Say, *, host: str = "") -> None:
    """End the following; the job talks to the follower alone, as the leader may be gone."""
    for line in run_manage(cluster, pair.service, ["standby", "stop", "--to", pair.follower], host=host):
        say(f"  {line}")
    current = state.read(cluster)
    rest = {name: text for name, text in current.get(STATE_KEY, {}).items() if name != pair.service}
    state.write(cluster, {**current, STATE_KEY: rest})


def lags(cluster: Cluster, pair: Pair, *, wait: float = 0) -> dict[str, dict[str, Any]]:
    """Database -> how far behind (chassis.couch.standby.Lag)."""
    arguments = ["standby", "status", "--to", pair.follower, "--json", "--wait", str(wait)]
    _, lines = run_manage_with_exit_code(cluster, pair.service, arguments, timeout=wait + 180)
    found = [line for line in lines if line.startswith("{")]
    if not found:
        raise Failed(f"{pair.follower} does not report its lag:\n  " + "\n  ".join(lines[-5:]))
    return dict(json.loads(found[-1]))


def describe_lags(found: dict[str, dict[str, Any]]) -> Sequence[str]:
    """Return a line for each database."""
    lines = []
    for name, lag in sorted(found.items()):
        behind = (
            "how far behind is not known" if lag["behind"] is None else f"{lag['behind']} documents behind"
        )
        last = (
            f"last write {time.time() - lag['last_write']:.0f} s ago"
            if lag["last_write"]
            else "never written"
        )
        lines.append(f"{name}: {lag['state']}, {behind}, {last}")
    return lines


def replicas(cluster: Cluster, name: str) -> int:
    found = cluster.services().get(name)
    return int(found["Spec"]["Mode"]["Replicated"]["Replicas"]) if found else 0


def scale(cluster: Cluster, name: str, count: int, say: Say) -> None:
    watch = RolloutWatcher(cluster, [name], say)
    cli.run(["service", "scale", "--detach", f"{cluster.stack}_{name}={count}"])
    watch.until_healthy(cluster.options.timeout)
