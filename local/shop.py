"""A run of the whole shop: from the command to the address on the terminal, and to the last process ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import parts, screens
from local.data import SERVICES, Folder
from local.options import ROOT, Options
from local.output import Log
from local.part import Part
from local.plan import WEBS, Plan
from local.prepared import Prepared
from local.screens import Address
from local.supervisor import StartFailed, Stopped, Supervisor

PATIENCE = 90.0  # seconds for all services to be ready once their processes run
LOOK_EVERY = 2.0  # seconds between two looks at what is down


async def run(options: Options, folder: Folder) -> int:
    """Run until told to stop; the exit code. Raises what cannot be started, in one sentence."""
    began = time.monotonic()
    secrets = folder.secrets()
    plan = Plan.make(options, secrets)
    prepared = Prepared(folder.path)
    log = Log(folder.path / "log", screens.standard())
    must_seed = options.seed == "demo" and not folder.done("seed")
    if must_seed or not folder.done("admin"):
        plan.hold.touch()
    started = parts.all_parts(plan, to_prepare=SERVICES if options.couchdb_url else prepared.missing())
    supervisor = Supervisor(
        started,
        log,
        stopped=_emptied(folder),
        changed=lambda pids: folder.write_running(_description(plan, pids)),
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.request_stop)
    try:
        log.step(f"Starting {len(started)} parts; everything that they say is in {log.path}")
        await supervisor.start()
        prepared.remember()
        log.step("Waiting until all services answer")
        await _until_ready(supervisor, plan)
        await _first_start(supervisor, plan, folder, log, must_seed=must_seed)
        _welcome(plan, log, time.monotonic() - began)
        await supervisor.until(asyncio.ensure_future(_watch(plan, log)))
        return 0
    except Stopped:
        return 0
    finally:
        log.say("stopping")
        await supervisor.stop()
        log.say("stopped")
        log.close()


def _emptied(folder: Folder) -> Path:
    stopped = folder.path / "stopped"
    for file in stopped.iterdir():
        file.unlink()
    return stopped


def _description(plan: Plan, pids: Mapping[str, int]) -> dict[str, Any]:
    """Return the content of run.json, which `make staff`, tests and benchmarks read."""
    return {
        "pid": os.getpid(),
        "port": plan.options.port,
        "url": plan.options.url,
        "inner_url": plan.inner_url,
        "couchdb_url": plan.couchdb_url,
        "redis_url": plan.redis_url,
        "ports": {**plan.port, "gateway": plan.options.port},
        "pids": dict(pids),
    }


async def _until_ready(supervisor: Supervisor, plan: Plan) -> None:
    """Until every service says that it is ready. StartFailed with the names of those that are not in time."""
    waiting = asyncio.ensure_future(_wait_for_services(plan))
    await supervisor.until(waiting)
    unready = waiting.result()
    if unready:
        raise StartFailed("Not ready: " + "; ".join(unready))


async def _wait_for_services(plan: Plan) -> list[str]:
    """Return the services not ready when patience ends, each with what it misses; none as soon as all are."""
    end = time.monotonic() + PATIENCE
    while True:
        states = await asyncio.to_thread(_states, plan)
        bad = [name for name in WEBS if not _started(name, states.get(name, "down"))]
        if not bad:
            return []
        if time.monotonic() > end:
            return [await asyncio.to_thread(_complaint, plan, name) for name in bad]
        await asyncio.sleep(0.1)


def _started(name: str, state: str) -> bool:
    """Without a payment provider checkout is `degraded` for good, and the shop browses."""
    return state == "ok" or (name == "checkout" and state == "degraded")


def _states(plan: Plan) -> dict[str, str]:
    return dict(_get_json(f"http://{plan.at('health')}/healthz").get("services", {}))


def _complaint(plan: Plan, name: str) -> str:
    missing = _get_json(f"http://{plan.at(name)}/readyz").get("missing", ["an answer"])
    return f"{name} misses {', '.join(missing)}"


def _get_json(url: str) -> dict[str, Any]:
    """Return the answer's body whatever its status; {} if there is none."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 -- our own address
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error, contextlib.suppress(ValueError):
            return dict(json.load(error))
    except (OSError, ValueError):
        pass
    return {}


async def _first_start(
    supervisor: Supervisor, plan: Plan, folder: Folder, log: Log, *, must_seed: bool
) -> None:
    """Return the administrator's account and the demo goods, once."""
    admin = plan.secrets["admin"]
    if not folder.done("admin"):
        log.step("Making the administrator's account")
        await _step(supervisor, parts.create_staff(plan, admin["email"], admin["password"]))
        folder.mark_done("admin")
    if must_seed and (ROOT / "local" / "seed" / "__main__.py").exists():
        log.step("Filling the demo shop, once; about a minute")
        await _step(supervisor, parts.seeding(plan))
        folder.mark_done("seed")
    plan.hold.unlink(missing_ok=True)


async def _step(supervisor: Supervisor, part: Part) -> None:
    running = asyncio.ensure_future(supervisor.run_once(part))
    await supervisor.until(running)
    if code := running.result():
        raise StartFailed(f"{part.name} ended with exit code {code}; what it said is in the log.")


async def _watch(plan: Plan, log: Log) -> None:
    """Show for as long as the shop runs which services do not answer as they should."""
    known: list[str] = []
    while True:
        await asyncio.sleep(LOOK_EVERY)
        states = await asyncio.to_thread(_states, plan)
        down = [name for name in WEBS if states.get(name) != "ok"]
        if down != known:
            known = down
            log.screen.down(down)


def _welcome(plan: Plan, log: Log, seconds: float) -> None:
    admin, url = plan.secrets["admin"], plan.options.url
    log.screen.open(
        Address(
            url=url,
            email=admin["email"],
            password=admin["password"],
            log=log.path,
            seconds=seconds,
            pages={"Mail": f"{url}/mail/", "API": f"{url}/api/catalog/docs (auth, cart, …)"},
        )
    )
