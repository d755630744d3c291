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

from local import processes, screens
from local.data import SERVICES, DataFolder
from local.options import ROOT, Options
from local.output import Log
from local.plan import WEBS, Plan
from local.preparation import PreparationRecord
from local.process_spec import ProcessSpec
from local.screens import ShopAddress
from local.supervisor import StartFailed, Stopped, Supervisor

READY_TIMEOUT = 90.0  # for all services to be ready once their processes run
POLL_SECONDS = 2.0  # between two checks of what is down


async def run(options: Options, folder: DataFolder) -> int:
    """Run until told to stop; the exit code. Raises what cannot be started, in one sentence."""
    began = time.monotonic()
    secrets = folder.secrets()
    plan = Plan.make(options, secrets)
    preparation = PreparationRecord(folder.path)
    log = Log(folder.path / "log", screens.standard_screen())
    must_seed = options.seed == "demo" and not folder.step_done("seed")
    if must_seed or not folder.step_done("admin"):
        plan.hold_file.touch()
    specs = processes.all_processes(
        plan, to_prepare=SERVICES if options.couchdb_url else preparation.services_to_prepare()
    )
    supervisor = Supervisor(
        specs,
        log,
        stopped=_clear_stopped(folder),
        on_change=lambda pids: folder.write_running(_run_description(plan, pids)),
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.request_stop)
    try:
        log.step(f"Starting {len(specs)} processes; everything that they say is in {log.path}")
        await supervisor.start()
        preparation.save()
        log.step("Waiting until all services answer")
        await _wait_until_ready(supervisor, plan)
        await _first_start(supervisor, plan, folder, log, must_seed=must_seed)
        _show_address(plan, log, time.monotonic() - began)
        await supervisor.until(asyncio.ensure_future(_watch_health(plan, log)))
        return 0
    except Stopped:
        return 0
    finally:
        log.say("stopping")
        await supervisor.stop()
        log.say("stopped")
        log.close()


def _clear_stopped(folder: DataFolder) -> Path:
    stopped = folder.path / "stopped"
    for file in stopped.iterdir():
        file.unlink()
    return stopped


def _run_description(plan: Plan, pids: Mapping[str, int]) -> dict[str, Any]:
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


async def _wait_until_ready(supervisor: Supervisor, plan: Plan) -> None:
    """Wait until every service is ready; raise StartFailed with the names of those that are not in time."""
    waiting = asyncio.ensure_future(_wait_for_services(plan))
    await supervisor.until(waiting)
    unready = waiting.result()
    if unready:
        raise StartFailed("Not ready: " + "; ".join(unready))


async def _wait_for_services(plan: Plan) -> list[str]:
    """Return the services not ready when patience ends, each with what it misses; none as soon as all are."""
    end = time.monotonic() + READY_TIMEOUT
    while True:
        states = await asyncio.to_thread(_states, plan)
        bad = [name for name in WEBS if not _is_serving(name, states.get(name, "down"))]
        if not bad:
            return []
        if time.monotonic() > end:
            return [await asyncio.to_thread(_missing_sentence, plan, name) for name in bad]
        await asyncio.sleep(0.1)


def _is_serving(name: str, state: str) -> bool:
    """Without a payment provider checkout is `degraded` for good, and the shop browses."""
    return state == "ok" or (name == "checkout" and state == "degraded")


def _states(plan: Plan) -> dict[str, str]:
    return dict(_get_json(f"http://{plan.address('health')}/healthz").get("services", {}))


def _missing_sentence(plan: Plan, name: str) -> str:
    missing = _get_json(f"http://{plan.address(name)}/readyz").get("missing", ["an answer"])
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
    supervisor: Supervisor, plan: Plan, folder: DataFolder, log: Log, *, must_seed: bool
) -> None:
    """Return the administrator's account and the demo goods, once."""
    admin = plan.secrets["admin"]
    if not folder.step_done("admin"):
        log.step("Making the administrator's account")
        await _run_step(supervisor, processes.staff_process(plan, admin["email"], admin["password"]))
        folder.mark_step_done("admin")
    if must_seed and (ROOT / "local" / "seed" / "__main__.py").exists():
        log.step("Filling the demo shop, once; about a minute")
        await _run_step(supervisor, processes.seed_process(plan))
        folder.mark_step_done("seed")
    plan.hold_file.unlink(missing_ok=True)


async def _run_step(supervisor: Supervisor, spec: ProcessSpec) -> None:
    running = asyncio.ensure_future(supervisor.run_once(spec))
    await supervisor.until(running)
    if code := running.result():
        raise StartFailed(f"{spec.name} ended with exit code {code}; what it said is in the log.")


async def _watch_health(plan: Plan, log: Log) -> None:
    """Show for as long as the shop runs which services do not answer as they should."""
    known: list[str] = []
    while True:
        await asyncio.sleep(POLL_SECONDS)
        states = await asyncio.to_thread(_states, plan)
        down = [name for name in WEBS if states.get(name) != "ok"]
        if down != known:
            known = down
            log.screen.down(down)


def _show_address(plan: Plan, log: Log, seconds: float) -> None:
    admin, url = plan.secrets["admin"], plan.options.url
    log.screen.open(
        ShopAddress(
            url=url,
            email=admin["email"],
            password=admin["password"],
            log=log.path,
            seconds=seconds,
            pages={"Mail": f"{url}/mail/", "API": f"{url}/api/catalog/docs (auth, cart, …)"},
        )
    )
