"""`make reconcile`: stock, orders and payments are made to agree; after a restore or a promotion."""

from __future__ import annotations

from swarm.admin import HOUR, run_manage_with_exit_code
from swarm.cluster import Cluster, Failed
from swarm.rollout import Say

CONSISTENT, NEEDS_ATTENTION = 0, 1


def reconcile(cluster: Cluster, say: Say = print) -> None:
    """Failed when a person must look, and when it could not be finished."""
    found = run(cluster, say)
    if found:
        raise Failed(f"{found} things want a person: see the lines above, and docs/operations.md.")


def run(cluster: Cluster, say: Say) -> int:
    """How many things want a person. Failed when it could not be finished."""
    say("Reconciling orders, stock and payments")
    code, lines = run_manage_with_exit_code(cluster, "checkout", ["reconcile"], timeout=HOUR)
    for line in lines:
        say(f"  {line}")
    if code not in (CONSISTENT, NEEDS_ATTENTION):
        raise Failed("It could not be finished; when everything answers: make reconcile.")
    return sum(line.startswith("PLEASE LOOK") for line in lines)
