"""`make secrets-rotate WHAT=signing|database|redis|all [SERVICE=]`: new keys and passwords, while it sells.

What is new is made known first, then used, and the old one goes when nobody needs it any more. Docker does
not give values back, so an old key lives on as the secret that it is, beside the new one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from docker.errors import APIError

from swarm import drift, jobs, rolling_update, state
from swarm.admin import run_manage
from swarm.cluster import Cluster, Failed
from swarm.jobs import MountedFile
from swarm.options import BadOption
from swarm.rolling_update import Change
from swarm.rollout import Say
from swarm.secrets import USER, Secret, Secrets
from swarm.shop import SERVICES, WITH_STANDBY, processes_of

PROPAGATION_SECONDS = 130.0  # a minute in the gateway, a minute in each service, and a little
TOKEN_LIFETIME = 600.0  # seconds that an access token holds
INI = "/opt/couchdb/etc/local.d/10-hivemart.ini"
STATE_KEY = "signing"  # the key of what is remembered
SIGNING_FILE, SECOND_KEY_FILE = "signing_keys", "signing_keys_other"


def rotate(cluster: Cluster, what: str, service: str = "", overlap: str = "", say: Say = print) -> None:
    """OVERLAP=0: a key has leaked, so do not wait until its tokens have ended."""
    if service and service not in SERVICES:
        raise BadOption(f"SERVICE={service} has no database; these have: {', '.join(SERVICES)}.")
    if overlap and not overlap.isdecimal():
        raise BadOption(f"OVERLAP={overlap} is not a number of seconds.")
    names = [service] if service else list(SERVICES)
    patience = float(overlap) if overlap else None
    steps: dict[str, list[Callable[[], None]]] = {
        "database": [partial(_rotate_database, cluster, name, say) for name in names],
        "redis": [partial(rotate_redis, cluster, say)],
        "signing": [partial(rotate_signing_keys, cluster, say, patience)],
    }
    if what != "all" and what not in steps:
        raise BadOption(f"WHAT={what} is none of {', '.join(steps)} and all.")
    jobs.clean_up(cluster)  # an interrupted one would keep a secret
    for step in [step for name, each in steps.items() if what in ("all", name) for step in each]:
        step()
    drift.report(cluster, say)


def _rotate_database(cluster: Cluster, service: str, say: Say) -> None:
    rotate_user(cluster, service, say)
    rotate_administrator(cluster, service, say)


# -- a service's user of its database


def rotate_user(cluster: Cluster, service: str, say: Say) -> None:
    """Another user with another password; both are good until every process has the new one."""
    store = Secrets(cluster)
    old = store.newest()[f"{service}_couch_user"]
    new = store.make_couch_user(service)
    say(f"{service}: {new.labels[USER]} takes the place of {old.labels[USER]} in the database")
    url = f"http://{new.labels[USER]}@{state.database_host(cluster, service)}:5984"
    settings = {"COUCHDB_URL": url, "COUCHDB_PASSWORD_FILE": "/run/secrets/couch_password_new"}
    try:
        run_manage(
            cluster,
            service,
            ["prepare"],
            env=settings,
            secrets=[MountedFile(new.docker_name, "couch_password_new")],
        )
        _roll_out(
            cluster,
            processes_of(service),
            {"couch_password": new.docker_name},
            say,
            env={"COUCHDB_URL": url},
        )
    except Failed:
        with contextlib.suppress(Failed):
            run_manage(cluster, service, ["prepare", "--remove-user", new.labels[USER]])
        _remove(store, [new], say)
        raise
    run_manage(cluster, service, ["prepare", "--remove-user", old.labels[USER]])
    _remove(store, [old], say)


def rotate_administrator(cluster: Cluster, service: str, say: Say) -> None:
    """Its password is in the server's own configuration, so the server starts anew: some seconds without."""
    store = Secrets(cluster)
    before = store.newest()
    names = (f"{service}_couch_ini", f"{service}_couch_admin")
    store.make_couch_admin(service)
    made = store.newest()
    say(f"{service}: another password for the administrator of the database")
    servers = [f"{service}-couch", *([f"{service}-standby"] if service in WITH_STANDBY else [])]
    try:
        for server in servers:
            _roll_out(cluster, [server], {INI: made[names[0]].docker_name}, say)
        run_manage(cluster, service, ["prepare"])
    except Failed:
        _remove(store, [made[name] for name in names], say)
        raise
    _remove(store, [before[name] for name in names], say)


# -- Redis


def rotate_redis(cluster: Cluster, say: Say) -> None:
    """Its one password changes in a moment; jobs and throttles do without it until they have the new one."""
    store = Secrets(cluster)
    before = store.newest()
    names = ("redis_conf", "redis_password")
    store.make_redis()
    made = store.newest()
    say("redis: another password")
    done: list[str] = []
    groups = (("redis",), *(processes_of(service) for service in SERVICES))
    try:
        for group in groups:
            _roll_out(cluster, group, _redis_files(group[0], made), say)
            done += group
    except Failed:
        for name in reversed(done):
            _roll_out(cluster, [name], _redis_files(name, before), say)
        _remove(store, [made[name] for name in names], say)
        raise
    _remove(store, [before[name] for name in names], say)


def _redis_files(service: str, versions: Mapping[str, Secret]) -> dict[str, str]:
    """Redis has its configuration, all others the password in it."""
    if service == "redis":
        return {"redis.conf": versions["redis_conf"].docker_name}
    return {"redis_password": versions["redis_password"].docker_name}


# -- the keys that sign access tokens


def rotate_signing_keys(cluster: Cluster, say: Say, overlap: float | None = None) -> None:
    """Publish the new key, use it, then retire the old one.

    The three steps are remembered, so that the same command goes on where one was interrupted.
    """
    known, ended = (
        (PROPAGATION_SECONDS, PROPAGATION_SECONDS + TOKEN_LIFETIME) if overlap is None else (overlap,) * 2
    )
    store = Secrets(cluster)
    phase = state.read(cluster).get(STATE_KEY)
    if phase is None:
        old = store.newest()["auth_signing_keys"].docker_name
        new = store.make_signing_key("auth_signing_keys").docker_name
        phase = {"first": old, "other": new, "new": new}
    if phase["first"] != phase["new"]:
        since = _use_keys(cluster, phase, say, "publishing the new key")
        _wait(since, known, say, "until every service knows it")
        phase = {"first": phase["new"], "other": phase["first"], "new": phase["new"]}
    since = _use_keys(cluster, phase, say, "signing with the new key")
    _wait(since, ended, say, "until what the old key signed has ended")
    # Whoever saw the old key may have seen the spare one beside it.
    spare = store.make_signing_key("auth_spare_signing_key").docker_name
    _use_keys(cluster, {**phase, "other": spare}, say, "retiring the old key")
    current = state.read(cluster)
    state.write(cluster, {name: value for name, value in current.items() if name != STATE_KEY})
    kept = {phase["new"], spare}
    names = {"auth_signing_keys", "auth_spare_signing_key"}
    older = [s for s in store.all() if s.name in names and s.docker_name not in kept]
    _remove(store, older, say)


def _use_keys(cluster: Cluster, phase: dict[str, str], say: Say, what: str) -> float:
    """Since when every process of auth has these keys. A deploy meanwhile keeps to it."""
    say(f"signing: {what}")
    remembered = state.read(cluster).get(STATE_KEY, {})
    if {**remembered, "since": ""} != {**phase, "since": ""}:
        state.write(cluster, {**state.read(cluster), STATE_KEY: phase})
    rolled = _roll_out(
        cluster, processes_of("auth"), {SIGNING_FILE: phase["first"], SECOND_KEY_FILE: phase["other"]}, say
    )
    since = float(remembered.get("since", 0)) if not rolled else 0.0
    since = since or time.time()
    state.write(cluster, {**state.read(cluster), STATE_KEY: {**phase, "since": str(since)}})
    return since


def _wait(since: float, seconds: float, say: Say, what: str) -> None:
    left = since + seconds - time.time()
    if left > 0:
        say(f"signing: waiting {left:.0f} s {what}; stop here if you like, the same command goes on")
        time.sleep(left)


# -- parts of the above


def _roll_out(
    cluster: Cluster,
    names: Iterable[str],
    files: Mapping[str, str],
    say: Say,
    *,
    env: Mapping[str, str] | None = None,
) -> bool:
    """Other secrets for these files of the services; whether that changed anything."""
    services = cluster.services()
    change = Change(files, env or {})
    return rolling_update.roll(cluster, {name: change for name in names if name in services}, say)


def _remove(store: Secrets, versions: Iterable[Secret], say: Say) -> None:
    for secret in versions:
        try:
            store.remove(secret)
        except APIError as error:  # a service has it still
            say(f"  {secret.docker_name} stays: {error.explanation}")
