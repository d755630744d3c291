"""Services start in production with what the stack files give them, and are a demo only with DEMO=1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.options import ROOT
from swarm.shop import FOLDERS
from swarm.tests.test_stack_files import stack

STARTED = (
    "import django; django.setup(); from django.conf import settings as s; print(s.HIVEMART_ENV, s.DEMO)"
)
SERVICES = {**FOLDERS, "autoscale": "autoscale"}


def environment(name: str, folder: Path, **given: str) -> dict[str, str]:
    """Return what a task of this service finds; its secrets are files of that folder."""
    compose = stack(**given)["services"][name]["environment"]
    env = {key: str(value) for key, value in compose.items()} | {"DATA_DIR": str(folder)}
    for number, key in enumerate(key for key in env if key.endswith("_FILE")):
        file = folder / str(number)
        file.write_text("{}" if "PUBLIC" in key else "AccountName=a;AccountKey=" + "k" * 44)
        env[key] = str(file)
    return env


def start(name: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    whole = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **env}
    return subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT / SERVICES[name],
        env=whole,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_in_production_and_is_no_demo_unless_it_is_said(name: str, tmp_path: Path) -> None:
    real = start(name, environment(name, tmp_path))
    demo = start(name, environment(name, tmp_path, DEMO="1"))

    assert (real.stdout.split(), real.stderr) == (["production", "False"], "")
    assert demo.stdout.split() == ["production", "True"]


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("auth", "AUTH_SIGNING_KEYS"),
        ("catalog", "AZURE_STORAGE_CONNECTION_STRING"),
        ("checkout", "REDIS_URL"),
        ("storefront", "PUBLIC_URL"),
    ],
)
def test_a_missing_setting_ends_a_service_with_a_reason(name: str, missing: str, tmp_path: Path) -> None:
    env = environment(name, tmp_path)

    ended = start(name, {key: value for key, value in env.items() if key.removesuffix("_FILE") != missing})

    assert ended.returncode == 1
    assert f"not fit for production: {missing} is not set" in ended.stderr


def test_every_process_of_the_shop_is_told_whether_it_is_a_demo() -> None:
    for given, expected in [({}, "0"), ({"DEMO": "1"}, "1")]:
        for name, service in stack(**given)["services"].items():
            env = service.get("environment") or {}
            assert "HIVEMART_ENV" not in env or env["DEMO"] == expected, name
