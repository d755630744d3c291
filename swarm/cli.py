"""The `docker` command, for what the SDK does not offer: stacks, logs of one task, rolling back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from swarm.cluster import Failed

TIMEOUT_SECONDS = 300  # for one call


def run(
    arguments: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = TIMEOUT_SECONDS
) -> str:
    """Return what `docker …` printed. Raises Failed with its own words if it did not do it."""
    docker = shutil.which("docker")
    if docker is None:
        raise Failed("The docker command is missing: install Docker's command line (docs/operations.md).")
    try:
        result = subprocess.run(
            [docker, *arguments],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"docker {arguments[0]} {arguments[1]} did not end within {timeout:.0f} s.") from error
    if result.returncode:
        raise Failed(f"docker {' '.join(arguments[:2])}: {(result.stderr or result.stdout).strip()}")
    return result.stdout


def deploy_stack(
    stack: str, files: Sequence[Path], variables: Mapping[str, str], *, prune: bool, registry: bool
) -> None:
    """`docker stack deploy` with these variables; it returns at once."""
    arguments = ["stack", "deploy", "--resolve-image", "never", "--detach=true"]
    arguments += ["--prune"] if prune else []
    arguments += ["--with-registry-auth"] if registry else []
    arguments += [part for file in files for part in ("-c", str(file))]
    run([*arguments, stack], env=variables)


def logs(name: str, *, tail: int, raw: bool = False, timeout: float = 15) -> list[str]:
    """Return the last lines of a service, or of one task, of either stream.

    There are none where its node does not answer.
    """
    arguments = ["docker", "service", "logs", *(["--raw"] if raw else []), "--tail", str(tail), name]
    try:
        result = subprocess.run(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [] if result.returncode else result.stdout.splitlines()


def roll_back(service: str) -> None:
    """Bring back the previous specification by a rolling update."""
    run(["service", "rollback", "--detach", service])
