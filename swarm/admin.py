"""Jobs of a service that are its database's administrator: saving, restoring, standbys, users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from swarm import deploy, jobs, state
from swarm.cluster import Cluster
from swarm.secrets import Secrets
from swarm.variables import upper

HOUR = 3600.0
LOG_LINE_PREFIX = '{"message"'  # how lines of the services' logs begin (chassis/observability/logs.py)


def credentials(cluster: Cluster, service: str, host: str = "") -> dict[str, Any]:
    """`env` and `secrets` of such a job, for the database that leads or another one."""
    admin = Secrets(cluster).newest()[f"{service}_couch_admin"]
    values = {
        f"{upper(service)}_DB_HOST": host or state.database_host(cluster, service),
        f"SECRET_{upper(service)}_COUCH_ADMIN": admin.docker_name,
    }
    return deploy.admin_access(values, service)


def run_manage(
    cluster: Cluster,
    service: str,
    arguments: Sequence[str],
    *,
    host: str = "",
    timeout: float = HOUR,
    **more: Any,
) -> list[str]:
    """Run `manage.py …` in the service's own image and networks; return what it said to people.

    Raises JobFailed if it did not end well.
    """
    command = ["python", "manage.py", *arguments]
    given = credentials(cluster, service, host)
    given["env"] = {**given["env"], **more.pop("env", {})}
    given["secrets"] = [*given["secrets"], *more.pop("secrets", [])]
    lines = jobs.run_job(
        cluster, jobs.from_running(cluster, service), command, timeout=timeout, **given, **more
    )
    return [line for line in lines if not line.startswith(LOG_LINE_PREFIX)]


def run_manage_with_exit_code(
    cluster: Cluster, service: str, arguments: Sequence[str], *, host: str = "", timeout: float = HOUR
) -> tuple[int, list[str]]:
    """Return the same for a command whose exit code says something: code and lines."""
    script = 'python manage.py "$@"; echo "ended with $?"'
    lines = jobs.run_job(
        cluster,
        jobs.from_running(cluster, service),
        ["sh", "-c", script, "sh", *arguments],
        timeout=timeout,
        **credentials(cluster, service, host),
    )
    return int(lines[-1].rpartition(" ")[2]), [
        line for line in lines[:-1] if not line.startswith(LOG_LINE_PREFIX)
    ]
