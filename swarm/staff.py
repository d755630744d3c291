"""`make swarm-staff EMAIL= PASSWORD=`: an account with every permission in the deployed shop."""

from __future__ import annotations

import getpass
import sys

from swarm import jobs, state
from swarm.cluster import Cluster
from swarm.options import BadOption
from swarm.rollout import Say

FILE = "/run/secrets/staff_password"
READ = (
    "import os, pathlib, sys; from django.core.management import execute_from_command_line as run;"
    f"os.environ['STAFF_PASSWORD'] = pathlib.Path('{FILE}').read_text();"
    "run(['manage.py', 'create_staff', '--email', sys.argv[1]])"
)


def staff(cluster: Cluster, email: str, password: str, say: Say = print) -> None:
    """Make the account; its password reaches the job as a Docker secret that is removed afterwards."""
    if not email:
        raise BadOption("Say who: make swarm-staff EMAIL=you@example.org; it asks for the password.")
    if not password and sys.stdin.isatty():
        password = getpass.getpass(f"Password for {email}: ")
    if not password:
        raise BadOption("PASSWORD is missing: 8 to 128 characters.")
    job = jobs.from_running(cluster, "auth")
    with jobs.temporary_secret(cluster, "staff", password, "staff_password") as secret:
        jobs.run_job(
            cluster,
            job,
            ["python", "-c", READ, email],
            env={"DJANGO_SETTINGS_MODULE": "config.settings"},
            secrets=[secret],
            timeout=120,
        )
    state.write(cluster, state.read(cluster) | {"staff": True})
    say(f"{email} may now sign in at {cluster.options.public_url}/admin/ and do everything there.")
