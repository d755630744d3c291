"""Changing what running services are given, one rolling update each; back again for all when one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from swarm import cli
from swarm.cluster import Cluster, Failed
from swarm.rollout import Say, Watch

Flags = Mapping[str, Sequence[str]]
"""service -> options of `docker service update`"""


def roll(cluster: Cluster, flags: Flags, say: Say) -> None:
    """Failed, with the reason and everything as before, when one of them does not come up."""
    watch = Watch(cluster, flags, say)
    auth = ["--with-registry-auth"] if cluster.options.registry else []
    for name, options in flags.items():
        full = f"{cluster.stack}_{name}"
        cli.run(["service", "update", "--detach", "--no-resolve-image", *auth, *options, full])
    try:
        undone = [seen.name for seen in watch.until_healthy(cluster.options.timeout)]
        why = f"Swarm rolled back {', '.join(undone)}:\n  {watch.why(undone)}" if undone else ""
    except Failed as error:
        undone, why = [], str(error)
    if why:
        _roll_back(cluster, [name for name in flags if name not in undone], say)
        raise Failed(f"{why}\nEverything is as it was before.")


def _roll_back(cluster: Cluster, names: Sequence[str], say: Say) -> None:
    if not names:
        return
    say(f"Rolling back {', '.join(names)}")
    watch = Watch(cluster, names, say)
    for name in names:
        cli.roll_back(f"{cluster.stack}_{name}")
    watch.until_healthy(cluster.options.timeout)


def environment(values: Mapping[str, str]) -> list[str]:
    """Options that set these variables."""
    return [part for name, value in values.items() for part in ("--env-add", f"{name}={value}")]


def secrets(service: Mapping[str, Any], wanted: Mapping[str, str]) -> list[str]:
    """Options that put other secrets (values) into the files (keys) that a service has; none if it has them.

    A file keeps its owner and mode. Failed if the service has no such file.
    """
    container = service["Spec"]["TaskTemplate"]["ContainerSpec"]
    there = {raw["File"]["Name"]: raw for raw in container.get("Secrets") or []}
    if missing := sorted(wanted.keys() - there.keys()):
        name = service["Spec"]["Name"]
        raise Failed(f"{name} has no secret {', '.join(missing)}: make deploy brings it up to date.")
    changed = {file: name for file, name in wanted.items() if there[file]["SecretName"] != name}
    gone = {there[file]["SecretName"] for file in changed}
    # What is removed by its name goes from every file, so those that stay are given again.
    again = {
        file: raw["SecretName"]
        for file, raw in there.items()
        if file not in changed and raw["SecretName"] in gone
    }
    options = [part for name in sorted(gone) for part in ("--secret-rm", name)]
    for file, name in sorted((again | changed).items()):
        place = there[file]["File"]
        owner = f"uid={place['UID']},gid={place['GID']},mode={place['Mode']:04o}"
        options += ["--secret-add", f"source={name},target={file},{owner}"]
    return options
