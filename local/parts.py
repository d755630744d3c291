"""The parts of the shop as data: what is started, how, with which settings, and after what."""

from __future__ import annotations

import sys

from local.data import SERVICES
from local.fronts import health, mailbox, nginx
from local.options import ROOT
from local.part import Kind, Part
from local.plan import FOLDERS, WEBS, Plan, service_env
from local.stores import stores

WITH_JOBS = ("auth", "catalog", "checkout", "reco")
WITH_BEAT = ("reco",)


def prepare(plan: Plan, name: str, after: tuple[str, ...]) -> Part:
    """Databases, indexes and views of a service, before anything uses them."""
    return _manage(plan, name, "prepare", Kind.SERVICE, after, once=True)


def web(plan: Plan, name: str, after: tuple[str, ...]) -> Part:
    configuration = ROOT / "chassis" / "chassis" / "gunicorn.conf.py"
    return Part(
        name=name,
        command=(
            *(sys.executable, "-m", "gunicorn", "config.wsgi", "--config", str(configuration)),
            *("--bind", plan.at(name), "--log-level", "warning"),
        ),
        cwd=ROOT / FOLDERS[name],
        env=service_env(plan, name),
        port=plan.port[name],
        after=after,
    )


def background(plan: Plan, name: str, after: tuple[str, ...]) -> Part:
    return _manage(plan, name, "background", Kind.WORKER, after)


def _manage(
    plan: Plan, name: str, verb: str, kind: Kind, after: tuple[str, ...], *, once: bool = False
) -> Part:
    return Part(
        name=f"{name}-{verb}",
        command=(sys.executable, "manage.py", verb),
        cwd=ROOT / FOLDERS[name],
        env=service_env(plan, name),
        kind=kind,
        after=after,
        once=once,
    )


def worker(plan: Plan, name: str, after: tuple[str, ...]) -> Part:
    """One task at a time in the process itself (`solo`): a second process would cost 60 MB each.

    The clock of nightly jobs (beat) is forked from the worker of its service, for the same reason.
    """
    clock = ("-B", "-s", str(plan.data / name / "beat")) if name in WITH_BEAT else ()
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return Part(
        name=f"{name}-worker",
        command=(
            *(sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "config", "worker"),
            *("-Q", name, "-P", "solo", "-l", "INFO", *quiet, *clock),
        ),
        cwd=ROOT / FOLDERS[name],
        env=service_env(plan, name),
        kind=Kind.WORKER,
        after=after,
    )


def all_parts(plan: Plan, *, to_prepare: tuple[str, ...] = SERVICES) -> list[Part]:
    """Everything, in order: stores; databases; the webs and the gateway; then whoever works behind them."""
    bases = stores(plan)
    couch_is_ready = tuple(part.name for part in bases if part.name == "couch")
    prepares = [prepare(plan, name, couch_is_ready) for name in to_prepare]
    webs = [web(plan, name, _before_web(name, to_prepare, couch_is_ready)) for name in WEBS]
    fronts = [nginx(plan), health(plan), mailbox(plan)]
    serving = tuple(part.name for part in (*bases, *webs, *fronts))
    workers = [
        *(background(plan, name, serving) for name in SERVICES),
        *(worker(plan, name, serving) for name in WITH_JOBS),
    ]
    return [*bases, *fronts, *prepares, *webs, *workers]


def _before_web(name: str, to_prepare: tuple[str, ...], couch_is_ready: tuple[str, ...]) -> tuple[str, ...]:
    if name not in SERVICES:
        return ()
    return (f"{name}-prepare",) if name in to_prepare else couch_is_ready


def create_staff(plan: Plan, email: str, password: str) -> Part:
    """Make, or make again, an account with every permission; the password goes through the environment."""
    return Part(
        name="create-staff",
        command=(sys.executable, "manage.py", "create_staff", "--email", email),
        cwd=ROOT / FOLDERS["auth"],
        env=service_env(plan, "auth") | {"STAFF_PASSWORD": password},
        once=True,
    )


def seeding(plan: Plan) -> Part:
    admin = plan.secrets["admin"]
    return Part(
        name="seed",
        command=(sys.executable, "-m", "local.seed", "--url", plan.options.url, "--email", admin["email"]),
        cwd=ROOT,
        env=service_env(plan, "logs")
        | {"SEED_PASSWORD": admin["password"]},  # the history goes in by its command
        once=True,
    )
