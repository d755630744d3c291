"""What stands before the services: nginx, the health of all, the mailbox."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from gateway.render import Settings, render
from local import ports
from local.binaries import nginx_binary
from local.data import SERVICES
from local.options import ROOT, Options
from local.plan import WEBS, Plan, common_env
from local.process_spec import ProcessSpec


def gateway_process(plan: Plan) -> ProcessSpec:
    folder = plan.data / "gateway"
    configuration = folder / "nginx.conf"
    configuration.write_text(render(gateway_settings(plan, folder)))
    return ProcessSpec(
        name="gateway",
        command=(nginx_binary(), "-p", str(folder), "-c", str(configuration)),
        cwd=folder,
        env=common_env(),
        port=plan.options.port,
    )


def gateway_settings(plan: Plan, folder: Path) -> Settings:
    return Settings(
        outer=_outer_addresses(plan.options),
        inner=[plan.address("inner")],
        services={name: [plan.address(name)] for name in SERVICES},
        storefront=[plan.address("storefront")],
        health=[plan.address("health")],
        mailbox=[plan.address("mailbox")],
        media=plan.media_url,
        directory=str(folder),
        auth_rate=plan.options.auth_rate,
        auth_burst=plan.options.auth_rate,
        user="root root" if os.geteuid() == 0 else "",  # nobody could not enter a folder below /root
    )


def _outer_addresses(options: Options) -> list[str]:
    if options.host != "localhost":
        return [f"{options.host}:{options.port}"]
    return [f"127.0.0.1:{options.port}"] + ([f"[::1]:{options.port}"] if ports.has_ipv6() else [])


def health_process(plan: Plan) -> ProcessSpec:
    env = {
        "HEALTH_LISTEN": plan.address("health"),
        "HEALTH_SERVICES": json.dumps({name: plan.address(name) for name in WEBS}),
        "HEALTH_HOLD": str(plan.hold_file),
    }
    return _python_process("health", "gateway.healthz", env, plan.port["health"])


def mailbox_process(plan: Plan) -> ProcessSpec:
    env = {"MAILBOX_LISTEN": plan.address("mailbox"), "MAILBOX_FOLDER": str(plan.data / "mail")}
    return _python_process("mailbox", "local.mailbox", env, plan.port["mailbox"])


def _python_process(name: str, module: str, env: dict[str, str], port: int) -> ProcessSpec:
    return ProcessSpec(
        name=name, command=(sys.executable, "-m", module), cwd=ROOT, env=common_env() | env, port=port
    )
