"""`make logs SERVICE=catalog [LINES=100] [FOLLOW=1]`: what the replicas of a service print."""

from __future__ import annotations

import subprocess

from swarm import cli
from swarm.cluster import Cluster
from swarm.options import BadOption
from swarm.rollout import Say

LINES_OF_EACH = 5  # lines of each service where all are meant
ALL = "all"


def logs(cluster: Cluster, service: str, lines: str, follow: bool, say: Say = print) -> None:
    """Of one service; of `all`, a few lines of each."""
    if lines and not lines.isdecimal():
        raise BadOption(f"LINES={lines} is not a whole number.")
    if not service or service == ALL:
        for name in sorted(cluster.services()):
            say(f"== {name}")
            say("\n".join(cli.logs(f"{cluster.stack}_{name}", tail=int(lines or LINES_OF_EACH))))
        return
    cluster.service(service)
    arguments = ["service", "logs", "--tail", lines or "100", *(["--follow"] if follow else [])]
    subprocess.run(["docker", *arguments, f"{cluster.stack}_{service}"], check=False)
