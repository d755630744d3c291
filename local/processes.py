"""The processes of the shop as data: command, settings, and dependencies of each."""

from __future__ import annotations

import sys

from local.data import SERVICES
from local.edge_processes import gateway_process, health_process, mailbox_process
from local.options import ROOT
from local.plan import FOLDERS, WEBS, Plan, service_env
from local.process_spec import ProcessKind, ProcessSpec
from local.stores import store_processes

WITH_JOBS = ("auth", "catalog", "checkout", "reco")
WITH_BEAT = ("reco",)


def prepare_process(plan: Plan, name: str, depends_on: tuple[str, ...]) -> ProcessSpec:
    """Databases, indexes and views of a service, before anything uses them."""
    return _manage(plan, name, "prepare", ProcessKind.SERVICE, depends_on, one_shot=True)


def web_process(plan: Plan, name: str, depends_on: tuple[str, ...]) -> ProcessSpec:
    configuration = ROOT / "chassis" / "chassis" / "gunicorn.conf.py"
    return ProcessSpec(
        name=name,
        command=(
            *(sys.executable, "-m", "gunicorn", "config.wsgi", "--config", str(configuration)),
            *("--bind", plan.address(name), "--log-level", "warning"),
        ),
        cwd=ROOT / FOLDERS[name],
        env=service_env(plan, name),
        port=plan.port[name],
        depends_on=depends_on,
    )


def background_process(plan: Plan, name: str, depends_on: tuple[str, ...]) -> ProcessSpec:
    return _manage(plan, name, "background", ProcessKind.WORKER, depends_on)


def _manage(
    plan: Plan,
    name: str,
    verb: str,
    kind: ProcessKind,
    depends_on: tuple[str, ...],
    *,
    one_shot: bool = False,
) -> ProcessSpec:
    return ProcessSpec(
        name=f"{name}-{verb}",
        command=(sys.executable, "manage.py", verb),
        cwd=ROOT / FOLDERS[name],
        env=service_env(plan, name),
        kind=kind,
        depends_on=depends_on,
        one_shot=one_shot,
    )


def worker_process(plan: Plan, name: str, depends_on: tuple[str, ...]) -> ProcessSpec:
    """One task at a time in the process itself (`solo`): a second process would cost 60 MB each.

    The clock of nightly jobs (beat) is forked from the worker of its service, for the same reason.
    """
    clock = ("-B", "-s", str(plan.data / name / "beat")) if name in WITH_BEAT else ()
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return ProcessSpec(
        name=f"{name}-worker",
        command=(
            *(sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "config", "worker"),
            *("-Q", name, "-P", "solo", "-l", "INFO", *quiet, *clock),
        ),
        cwd=ROOT / FOLDERS[name],
        env=service_env(plan, name),
        kind=ProcessKind.WORKER,
        depends_on=depends_on,
    )


def all_processes(plan: Plan, *, to_prepare: tuple[str, ...] = SERVICES) -> list[ProcessSpec]:
    """Everything, in order: stores; databases; the webs and the gateway; then whoever works behind them."""
    store_specs = store_processes(plan)
    couch_is_ready = tuple(spec.name for spec in store_specs if spec.name == "couch")
    prepare_specs = [prepare_process(plan, name, couch_is_ready) for name in to_prepare]
    web_specs = [
        web_process(plan, name, _web_dependencies(name, to_prepare, couch_is_ready)) for name in WEBS
    ]
    edge_specs = [gateway_process(plan), health_process(plan), mailbox_process(plan)]
    serving_names = tuple(spec.name for spec in (*store_specs, *web_specs, *edge_specs))
    worker_specs = [
        *(background_process(plan, name, serving_names) for name in SERVICES),
        *(worker_process(plan, name, serving_names) for name in WITH_JOBS),
    ]
    return [*store_specs, *edge_specs, *prepare_specs, *web_specs, *worker_specs]


def _web_dependencies(
    name: str, to_prepare: tuple[str, ...], couch_is_ready: tuple[str, ...]
) -> tuple[str, ...]:
    if name not in SERVICES:
        return ()
    return (f"{name}-prepare",) if name in to_prepare else couch_is_ready


def staff_process(plan: Plan, email: str, password: str) -> ProcessSpec:
    """Make, or make again, an account with every permission; the password goes through the environment."""
    return ProcessSpec(
        name="create-staff",
        command=(sys.executable, "manage.py", "create_staff", "--email", email),
        cwd=ROOT / FOLDERS["auth"],
        env=service_env(plan, "auth") | {"STAFF_PASSWORD": password},
        one_shot=True,
    )


def seed_process(plan: Plan) -> ProcessSpec:
    admin = plan.secrets["admin"]
    return ProcessSpec(
        name="seed",
        command=(sys.executable, "-m", "local.seed", "--url", plan.options.url, "--email", admin["email"]),
        cwd=ROOT,
        env=service_env(plan, "logs")
        | {"SEED_PASSWORD": admin["password"]},  # the history goes in by its command
        one_shot=True,
    )
