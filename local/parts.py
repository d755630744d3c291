"""The parts of the shop as data: what is started, how, with which settings, and after what."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.render import Settings, render
from local import ports
from local.binaries import nginx_binary, node_binary, valkey_binary
from local.data import SERVICES, SIGNERS, public_keys
from local.options import ROOT, Options
from local.part import Kind, Part

ACCOUNT, CONTAINER = "hivemart", "media"
WEBS = (*SERVICES, "storefront")
WITH_JOBS = ("auth", "catalog", "checkout", "reco")
WITH_BEAT = ("reco",)
FOLDERS = {name: f"{name}_svc" for name in SERVICES} | {"storefront": "storefront"}
ADDRESSED = ("inner", "health", "mailbox", "couch", "valkey", "azurite", *WEBS)


@dataclass(frozen=True)
class Plan:
    """Where everything is for one run, and what the parts are told."""

    options: Options
    secrets: Mapping[str, Any]
    port: Mapping[str, int]

    @classmethod
    def make(cls, options: Options, secrets: Mapping[str, Any]) -> Plan:
        return cls(options, secrets, dict(zip(ADDRESSED, ports.free(len(ADDRESSED)), strict=True)))

    @property
    def data(self) -> Path:
        return self.options.data

    @property
    def hold(self) -> Path:
        """While this file exists, /healthz says "degraded" at best."""
        return self.data / "gateway" / "hold"

    @property
    def inner_url(self) -> str:
        return f"http://127.0.0.1:{self.port['inner']}"

    @property
    def couchdb_url(self) -> str:
        own = f"http://admin:{self.secrets['couch']}@127.0.0.1:{self.port['couch']}"
        return self.options.couchdb_url or own

    @property
    def redis_url(self) -> str:
        return (
            self.options.redis_url or f"redis://:{self.secrets['valkey']}@127.0.0.1:{self.port['valkey']}/0"
        )

    @property
    def blob_store(self) -> str:
        return self.options.blob_store or (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.secrets['azurite']};"
            f"BlobEndpoint=http://127.0.0.1:{self.port['azurite']}/{ACCOUNT};"
        )

    @property
    def media_url(self) -> str:
        """Where the gateway finds the public pictures."""
        known = dict(part.split("=", 1) for part in self.blob_store.split(";") if "=" in part)
        protocol = known.get("DefaultEndpointsProtocol", "https")
        suffix = known.get("EndpointSuffix", "core.windows.net")
        endpoint = known.get("BlobEndpoint") or f"{protocol}://{known.get('AccountName', '')}.blob.{suffix}"
        return f"{endpoint.rstrip('/')}/{CONTAINER}"

    def at(self, name: str) -> str:
        return f"127.0.0.1:{self.port[name]}"


def common_env() -> dict[str, str]:
    """What every process gets: this shell's environment, and thrift with memory and threads."""
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # glibc keeps an arena per thread otherwise
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def service_env(plan: Plan, name: str) -> dict[str, str]:
    """The settings of one service (docs/settings.md says what each means)."""
    own = plan.secrets["services"][name]
    everywhere = plan.options.host != "localhost"
    return common_env() | {
        "HIVEMART_ENV": "local",
        "SECRET_KEY": own["secret_key"],
        "SERVICE_PRIVATE_KEY": own["private_key"],
        "SERVICE_PUBLIC_KEYS": json.dumps(public_keys(plan.secrets["services"], SIGNERS)),
        "ALLOWED_HOSTS": "*" if everywhere else "localhost,127.0.0.1,[::1]",
        "PUBLIC_URL": plan.options.url,
        "GATEWAY_URL": plan.inner_url,
        "DATA_DIR": str(plan.data / name),
        "COUCHDB_URL": plan.couchdb_url,
        "REDIS_URL": plan.redis_url,
        "AZURE_STORAGE_CONNECTION_STRING": plan.blob_store,
        "AZURE_CONTAINER": CONTAINER,
        "EMAIL_BACKEND": os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend"),
        "EMAIL_FILE_PATH": str(plan.data / "mail"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def stores(plan: Plan) -> list[Part]:
    """Those of the three stores that are not somewhere else already."""
    made = [
        (plan.options.couchdb_url, couch),
        (plan.options.redis_url, valkey),
        (plan.options.blob_store, azurite),
    ]
    return [make(plan) for elsewhere, make in made if not elsewhere]


def couch(plan: Plan) -> Part:
    return Part(
        name="couch",
        command=(node_binary(), "--max-semi-space-size=4", "server.js"),
        cwd=ROOT / "local" / "couch",
        env=common_env()
        | {
            "COUCH_PORT": str(plan.port["couch"]),
            "COUCH_DIR": str(plan.data / "couch"),
            "COUCHDB_PASSWORD": plan.secrets["couch"],
        },
        kind=Kind.STORE,
        port=plan.port["couch"],
    )


def valkey(plan: Plan) -> Part:
    """Nothing is kept on disk: losing Redis loses no fact (docs/architecture.md)."""
    configuration = plan.data / "valkey" / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"port {plan.port['valkey']}\nbind 127.0.0.1\nrequirepass {plan.secrets['valkey']}\n"
        f'save ""\nappendonly no\ndir "{plan.data / "valkey"}"\nmaxmemory 128mb\nloglevel warning\n'
    )
    return Part(
        name="valkey",
        command=(valkey_binary(), str(configuration)),
        cwd=plan.data / "valkey",
        env=common_env(),
        kind=Kind.STORE,
        port=plan.port["valkey"],
    )


def azurite(plan: Plan) -> Part:
    main = ROOT / "local" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    return Part(
        name="azurite",
        command=(
            *(node_binary(), "--max-old-space-size=192", str(main), "--location", str(plan.data / "azurite")),
            *("--blobHost", "127.0.0.1", "--blobPort", str(plan.port["azurite"])),
            *("--skipApiVersionCheck", "--disableTelemetry", "--silent"),
        ),
        cwd=plan.data / "azurite",
        env=common_env() | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{plan.secrets['azurite']}"},
        kind=Kind.STORE,
        port=plan.port["azurite"],
    )


def nginx(plan: Plan) -> Part:
    folder = plan.data / "gateway"
    configuration = folder / "nginx.conf"
    configuration.write_text(render(gateway_settings(plan, folder)))
    return Part(
        name="gateway",
        command=(nginx_binary(), "-p", str(folder), "-c", str(configuration)),
        cwd=folder,
        env=common_env(),
        port=plan.options.port,
    )


def gateway_settings(plan: Plan, folder: Path) -> Settings:
    return Settings(
        outer=_outer(plan.options),
        inner=[plan.at("inner")],
        services={name: [plan.at(name)] for name in SERVICES},
        storefront=[plan.at("storefront")],
        health=[plan.at("health")],
        mailbox=[plan.at("mailbox")],
        media=plan.media_url,
        directory=str(folder),
        auth_rate=plan.options.auth_rate,
        auth_burst=plan.options.auth_rate,
        user="root root" if os.geteuid() == 0 else "",  # nobody could not enter a folder below /root
    )


def _outer(options: Options) -> list[str]:
    if options.host != "localhost":
        return [f"{options.host}:{options.port}"]
    return [f"127.0.0.1:{options.port}"] + ([f"[::1]:{options.port}"] if ports.has_ipv6() else [])


def health(plan: Plan) -> Part:
    env = {
        "HEALTH_LISTEN": plan.at("health"),
        "HEALTH_SERVICES": json.dumps({name: plan.at(name) for name in WEBS}),
        "HEALTH_HOLD": str(plan.hold),
    }
    return _python("health", "gateway.healthz", env, plan.port["health"])


def mailbox(plan: Plan) -> Part:
    env = {"MAILBOX_LISTEN": plan.at("mailbox"), "MAILBOX_FOLDER": str(plan.data / "mail")}
    return _python("mailbox", "local.mailbox", env, plan.port["mailbox"])


def _python(name: str, module: str, env: dict[str, str], port: int) -> Part:
    return Part(
        name=name, command=(sys.executable, "-m", module), cwd=ROOT, env=common_env() | env, port=port
    )


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
