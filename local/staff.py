"""`make staff`: an account with every permission in the running shop."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import processes
from local.data import DataFolder
from local.options import Options
from local.plan import Plan
from local.process_spec import ProcessSpec


class StaffFailed(Exception):
    """The text is one sentence for the person at the terminal."""


def create(data: Path, port: int | None, email: str, password: str) -> str:
    """Make the account, sign in with it once, and return the shop's address.

    `port`: the shop is expected there, if given. Raises StaffFailed.
    """
    if not email or not password:
        raise StaffFailed("Say who: make staff EMAIL=you@example.org PASSWORD=…")
    run = _running(data, port)
    secrets = DataFolder(data).secrets()
    options = Options(port=run["port"], data=data, couchdb_url=run["couchdb_url"], redis_url=run["redis_url"])
    _create(processes.staff_process(Plan(options, secrets, run["ports"]), email, password))
    _sign_in(run["url"], email, password)
    return str(run["url"])


def _running(data: Path, port: int | None) -> Mapping[str, Any]:
    """Return the description of the shop that runs on this data folder.

    Raises StaffFailed if none does, or another shop than the one meant.
    """
    folder = DataFolder(data)
    run = folder.running() if folder.is_locked() else None
    if run is None or not run.get("pids"):
        raise StaffFailed(f"No shop runs on DATA={data}: start it with `make run`, or say which DATA.")
    if port is not None and run["port"] != port:
        raise StaffFailed(f"The shop on DATA={data} is on port {run['port']}, not {port}: say which DATA.")
    return run


def _create(spec: ProcessSpec) -> None:
    result = subprocess.run(
        spec.command,
        cwd=spec.cwd,
        env=dict(spec.env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if result.returncode:
        words = (result.stderr or result.stdout).strip().splitlines() or [f"exit code {result.returncode}"]
        raise StaffFailed(f"The account was not made: {words[-1]}")


def _sign_in(url: str, email: str, password: str, *, seconds: float = 20.0) -> None:
    """Prove that the account works; what is too early or too often is tried again."""
    body = json.dumps({"email": email, "password": password}).encode()
    end = time.monotonic() + seconds
    while True:
        request = urllib.request.Request(  # noqa: S310 -- our own address
            f"{url}/api/auth/token", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310 -- our own address
                return
        except urllib.error.HTTPError as error:
            with error:
                if error.code < 500 and error.code != 429:
                    raise StaffFailed(f"The account was made but cannot sign in ({error.code}).") from error
        except OSError:
            pass
        if time.monotonic() > end:
            raise StaffFailed("The account was made but the shop does not answer.")
        time.sleep(0.5)
