"""`make spike`: a flood of log-ins on the deployed auth service, and a report of what became of it.

Load goes to this machine's loopback only. The report has pictures of the tasks on each node before and at the
height of it, of replicas, latency and errors over time, and the figures that they show.
"""

from __future__ import annotations

import contextlib
import csv
import ipaddress
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docker.errors import DockerException
from requests.exceptions import RequestException

from swarm.cluster import Cluster, Failed
from swarm.options import ROOT, BadOption
from swarm.rollout import Say
from swarm.shop import WEBS

PROFILE = Path(__file__).parent / "logins.py"
HISTORY, PHASES_FILE = "locust_stats_history.csv", "phases.txt"  # what Locust and its profile leave
MAX_RATE = 200  # log-ins a second
PHASES = {"SPIKE_BEFORE": 30, "SPIKE_SECONDS": 90, "SPIKE_AFTER": 60}
MAX_PHASE_SECONDS = 3600


@dataclass(slots=True)
class SwarmSample:
    """One sample of the Swarm. at: seconds from the start; tasks: (node, service) -> running ones."""

    at: float
    wanted: dict[str, int]
    ready: dict[str, int]
    tasks: Counter[tuple[str, str]]


@dataclass(slots=True)
class Run:
    """Everything that a report is made of; seconds from its start.

    `begin`, `end`: of the flood. `whole`: nobody interrupted it.
    """

    nodes: list[str]
    samples: list[SwarmSample]
    begin: float
    end: float
    completed: bool = True
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def peak(self) -> SwarmSample:
        """When most tasks ran."""
        return max(self.samples, key=lambda sample: sum(sample.tasks.values()))


def spike(cluster: Cluster, rate: str, to: str, url: str = "", say: Say = print) -> Path:
    """Flood the log-in and return the report's path.

    Raises BadOption when it makes no sense, Failed when Locust or the Swarm will not.
    """
    if rate and not (rate.isdecimal() and 1 <= int(rate) <= MAX_RATE):
        raise BadOption(f"RATE={rate} is not a whole number of log-ins a second from 1 to {MAX_RATE}.")
    target = url or _gateway_url(cluster)
    _require_loopback(target)
    if "auth" not in cluster.services():
        raise Failed(f"The stack {cluster.stack} has no auth service: deploy it first.")
    folder = _prepare_folder(Path(to or ROOT / "var" / "spike"))
    phases = {name: _phase_seconds(name, default) for name, default in PHASES.items()}
    env = {"SPIKE_FLOOD": rate or "30", **{name: str(seconds) for name, seconds in phases.items()}}
    say(f"{env['SPIKE_FLOOD']} log-ins a second for {phases['SPIKE_SECONDS']} s at {target}")
    run = _run_and_sample(cluster, target, folder, env, sum(phases.values()))
    from swarm.load import report

    written = report.write(run, folder)
    say(f"{written}")
    if not run.completed:
        raise Failed("Interrupted: the report covers what was measured until then.")
    return written


def _phase_seconds(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isdecimal() and 1 <= int(text) <= MAX_PHASE_SECONDS):
        raise BadOption(f"{name}={text} is not a whole number of seconds from 1 to {MAX_PHASE_SECONDS}.")
    return int(text)


def _prepare_folder(folder: Path) -> Path:
    """Without what an earlier spike left, which would be taken for this one's."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / HISTORY, folder / PHASES_FILE):
        old.unlink(missing_ok=True)
    return folder


def _gateway_url(cluster: Cluster) -> str:
    options = cluster.options
    return (
        f"https://127.0.0.1:{options.https_port}" if options.tls else f"http://127.0.0.1:{options.http_port}"
    )


def _require_loopback(url: str) -> None:
    try:
        parts = urlsplit(url)
        found = {row[4][0] for row in socket.getaddrinfo(parts.hostname or "", parts.port)}
    except (OSError, ValueError) as error:
        raise BadOption(f"URL={url}: {error}.") from None
    if parts.scheme not in ("http", "https") or parts.path not in ("", "/") or "@" in parts.netloc:
        raise BadOption(f"URL={url} is not http or https, a host and a port.")
    if not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise BadOption(f"URL={url} is not this machine: load is sent to loopback only.")


def _run_and_sample(cluster: Cluster, target: str, folder: Path, env: Mapping[str, str], seconds: int) -> Run:
    """Look once a second while Locust runs. It is ended when this is."""
    nodes = {node["ID"]: str(node["Description"]["Hostname"]) for node in cluster.nodes()}
    began, began_at, completed = time.monotonic(), time.time(), True
    samples = [sample(cluster, nodes, 0.0)]
    command = [
        *(sys.executable, "-W", "ignore", "-m", "locust", "-f", str(PROFILE), "--headless", "--host", target),
        *("--csv", str(folder / "locust"), "--csv-full-history", "--loglevel", "WARNING", "--only-summary"),
    ]
    own = {**os.environ, **env, "SPIKE_PHASES": str(folder / PHASES_FILE)}
    process = subprocess.Popen(command, env=own, cwd=ROOT)
    try:
        while process.poll() is None and time.monotonic() < began + seconds + 60:
            time.sleep(1)
            with contextlib.suppress(DockerException, RequestException):  # busy with the flood: the next one
                samples.append(sample(cluster, nodes, time.monotonic() - began))
    except KeyboardInterrupt:
        completed = False
    finally:
        _stop(process)
    phases = read_phases(folder / PHASES_FILE, began_at)
    end = phases.get("after", samples[-1].at)
    history = read_history(folder / HISTORY, began_at)
    return Run(sorted(nodes.values()), samples, phases["flood"], end, completed, history)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def sample(cluster: Cluster, nodes: Mapping[str, str], at: float) -> SwarmSample:
    services, tasks = cluster.services(), cluster.tasks()
    webs = [name for name in WEBS if name in services]
    running = {
        name: [task for task in tasks.get(services[name]["ID"], []) if _is_running(task)] for name in webs
    }
    return SwarmSample(
        at,
        wanted={name: _replicas(services[name]) for name in webs},
        ready={name: len(found) for name, found in running.items()},
        tasks=Counter((nodes.get(task["NodeID"], "?"), name) for name in webs for task in running[name]),
    )


def _is_running(task: Mapping[str, Any]) -> bool:
    return bool(task["DesiredState"] == "running" and task["Status"]["State"] == "running")


def _replicas(service: Mapping[str, Any]) -> int:
    return int(service["Spec"]["Mode"].get("Replicated", {}).get("Replicas", 0))


def read_phases(path: Path, began: float) -> dict[str, float]:
    """When each phase began, in seconds from `began` (Unix time). Failed when the flood never did."""
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    found = {phase: float(at) - began for phase, at in lines}
    if "flood" not in found:
        raise Failed("Locust ended before the flood began; what it said is above.")
    return found


def read_history(path: Path, began: float) -> list[dict[str, float]]:
    """Locust's rows of all requests together, by seconds from `began` (Unix time)."""
    if not path.exists():
        raise Failed("Locust left no figures; what it said is above.")
    with path.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["Name"] == "Aggregated"]
    return [
        {
            "at": float(row["Timestamp"]) - began,
            "rate": _float(row["Requests/s"]),
            "failures": _float(row["Failures/s"]),
            "median": _float(row["50%"]),
            "late": _float(row["95%"]),
            "requests": _float(row["Total Request Count"]),
            "failed": _float(row["Total Failure Count"]),
        }
        for row in rows
    ]


def _float(text: str) -> float:
    return 0.0 if text in ("", "N/A") else float(text)
