"""`make promote SERVICE=checkout`: the standby becomes the database that the service writes to.

While the primary answers, nothing is lost: the service is held, the standby gets the rest, then they change.
When it does not, the standby has what it has; how much may be missing is reported. Either way the old
primary is fenced first: two that take writes would never agree again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from swarm import cli, drift, expected, maintenance, reconcile, rolling_update, standby, state
from swarm.admin import run_manage
from swarm.cluster import Cluster, Failed
from swarm.options import BadOption
from swarm.rolling_update import Change
from swarm.rollout import Say
from swarm.secrets import USER, Secrets
from swarm.shop import WITH_STANDBY, processes_of
from swarm.standby import Pair

STATE_KEY = "promoting"  # the key of what is remembered: "leader follower"
CATCH_UP_SECONDS = 120.0
STOP_SECONDS = 60.0
DETECTION_SECONDS = 6.0  # until Swarm has seen that a task ended
# Who must not write meanwhile: stock and orders have to agree before anybody buys.
SERVICES_TO_STOP = {"auth": ("auth",), "catalog": ("catalog", "checkout"), "checkout": ("checkout",)}


def promote(cluster: Cluster, service: str, fenced: str = "", say: Say = print) -> None:
    """FENCED=yes: a person has made sure that the old primary's machine is off or cut off."""
    if service not in WITH_STANDBY:
        raise BadOption(f"Say which: make promote SERVICE=…, one of {', '.join(WITH_STANDBY)}.")
    pair = standby.pair_of(cluster, service)
    if standby.replicas(cluster, pair.follower) == 0:
        raise Failed(f"{pair.follower} has no replica, so there is nothing to promote: make standby first.")
    found = standby.lags(cluster, pair)
    say("\n".join(f"  {line}" for line in standby.describe_lags(found)))
    reachable = all(lag["behind"] is not None for lag in found.values())
    _refuse_without_data(cluster, pair, found)
    refuse_unless_fenced(cluster, pair.leader, reachable or fenced == "yes")
    maintenance.enter(
        cluster,
        maintenance.running_processes(cluster, SERVICES_TO_STOP[service]),
        say,
        fenced=fenced == "yes",
    )
    if reachable:
        found = standby.lags(cluster, pair, wait=CATCH_UP_SECONDS)
        _refuse_if_behind(cluster, found, say)
    loss = describe_loss(found, time.time())
    try:
        state.write(cluster, {**state.read(cluster), STATE_KEY: pair.text})
        fence(cluster, pair.leader, forced=fenced == "yes", say=say)
        standby.stop(cluster, pair, say, host=pair.follower)
        _switch(cluster, pair, say)
    except Failed as error:
        raise Failed(f"{error}\n{service} is held; the same command again goes on.") from error
    state.write(cluster, {**state.read(cluster), STATE_KEY: ""})
    _reopen(cluster, service, say)
    say(f"{service} writes to {pair.follower} now. {loss}")
    drift.report(cluster, say)
    say(f"When {pair.leader} is well again, let it follow: make standby SERVICE={service} ANEW=yes")


def _refuse_without_data(cluster: Cluster, pair: Pair, found: Mapping[str, Mapping[str, Any]]) -> None:
    if state.read(cluster).get(STATE_KEY) == pair.text:
        return  # it followed until this command stopped it and was interrupted
    never = [name for name, lag in found.items() if lag["state"] == "not started"]
    if never:
        raise Failed(
            f"{pair.follower} does not follow in {', '.join(never)}: make standby SERVICE={pair.service}."
        )


def _refuse_if_behind(cluster: Cluster, found: Mapping[str, Mapping[str, Any]], say: Say) -> None:
    behind = [f"{name} ({lag['behind']})" for name, lag in found.items() if lag["behind"] != 0]
    if behind:
        maintenance.leave(cluster, say)
        raise Failed(f"The standby does not catch up in {', '.join(behind)}; everything is as it was before.")


def describe_loss(found: Mapping[str, Mapping[str, Any]], now: float) -> str:
    """Return what may be lost, in a sentence."""
    if all(lag["behind"] == 0 for lag in found.values()):
        return "Nothing was lost: 0 documents, 0 seconds."
    spans = [
        f"{name} {now - lag['last_write']:.0f} s" if lag["last_write"] else f"{name} never"
        for name, lag in sorted(found.items())
    ]
    return f"What was written after the last replicated write is lost; that was ago: {', '.join(spans)}."


def refuse_unless_fenced(
    cluster: Cluster, primary: str, confirmed: bool, seconds: float = DETECTION_SECONDS
) -> None:
    """Refuse before anything is touched unless the old primary is known to take no writes.

    A machine that cannot be asked may still be writing, and a database that is only slow has what the standby
    has not.
    """
    if confirmed:
        return
    end = time.monotonic() + seconds
    while (tasks := maintenance.active_tasks(cluster, primary)) and time.monotonic() < end:
        time.sleep(0.5)
    unreachable = maintenance.unreachable_nodes(cluster, tasks)
    if unreachable:
        raise Failed(
            f"{primary} runs on {', '.join(unreachable)}, which cannot be reached, so nobody knows whether it"
            " still takes writes. Turn that machine off or cut it off, then: FENCED=yes."
        )
    if tasks:
        raise Failed(
            f"{primary} runs but does not answer: what it has and the standby has not would be lost. Look at"
            " it first (make logs); to go on without it: FENCED=yes."
        )


def fence(cluster: Cluster, primary: str, *, forced: bool, say: Say) -> None:
    """No replica, and none left that runs. Failed when that cannot be seen, and nobody answers for it."""
    say(f"Fencing {primary}")
    cli.run(["service", "scale", "--detach", f"{cluster.stack}_{primary}=0"])
    end = time.monotonic() + STOP_SECONDS
    while tasks := maintenance.active_tasks(cluster, primary):
        unreachable = maintenance.unreachable_nodes(cluster, tasks)
        if unreachable and forced:
            return
        if time.monotonic() > end:
            raise Failed(f"{primary} does not end: see `docker service ps {cluster.stack}_{primary}`.")
        time.sleep(0.5)


def _switch(cluster: Cluster, pair: Pair, say: Say) -> None:
    """From now on, also for every later deploy, the service writes to the follower."""
    user = Secrets(cluster).newest()[f"{pair.service}_couch_user"].labels[USER]
    url = f"http://{user}@{pair.follower}:5984"
    for line in run_manage(cluster, pair.service, ["prepare"], host=pair.follower, env={"COUCHDB_URL": url}):
        say(f"  {line}")
    for name in _processes(cluster, pair.service):
        rolling_update.update(cluster, name, Change(env={"COUCHDB_URL": url}))
        expected.set_files_and_settings(cluster, name, files={}, settings={"COUCHDB_URL": url})
    state.set_database_host(cluster, pair.service, pair.follower)


def _processes(cluster: Cluster, service: str) -> Sequence[str]:
    there = cluster.services()
    return [name for name in processes_of(service) if name in there]


def _reopen(cluster: Cluster, service: str, say: Say) -> None:
    found = 0
    if "checkout" in SERVICES_TO_STOP[service]:
        maintenance.leave(cluster, say, processes_of("catalog"))
        found = reconcile.run(cluster, say)
    maintenance.leave(cluster, say)
    if found:
        say(f"PLEASE LOOK at the {found} things above.")
