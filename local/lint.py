"""`python -m local.lint`: types, imports, templates and documentation; `make lint` runs ruff before it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from local import settings_docs
from local.options import ROOT

APPS = {
    "auth_svc": "accounts",
    "catalog_svc": "catalog",
    "cart_svc": "cart",
    "checkout_svc": "checkout",
    "logs_svc": "logs",
    "reco_svc": "reco",
    "storefront": "shop",
    "autoscale": "autoscaling",
}


def _strict(folder: str, app: str) -> list[str]:
    """Return the parts of a service that are typed strictly: its domain and its use cases."""
    root = ROOT / folder
    return [
        f"{app}/{name}"
        for part in ("domain", "services")
        for name in (part, f"{part}.py")
        if (root / app / name).exists()
    ]


def _run(command: list[str], cwd: Path, **env: str) -> bool:
    return subprocess.run(command, cwd=cwd, env={**os.environ, **env}, check=False).returncode == 0


def types() -> bool:
    mypy = [sys.executable, "-m", "mypy", "--no-error-summary", "--config-file", str(ROOT / "pyproject.toml")]
    cache = str(ROOT / ".mypy_cache")
    runs = [(".", ["chassis/chassis"]), (".", ["gateway", "local", "swarm", "--exclude", "tests"])]
    runs += [(folder, _strict(folder, app)) for folder, app in APPS.items()]
    results = [
        _run(
            [*mypy, *targets],
            ROOT / folder,
            MYPYPATH=str(ROOT / "chassis"),
            MYPY_CACHE_DIR=f"{cache}/{folder}",
        )
        for folder, targets in runs
        if targets
    ]
    return all(results)


def imports() -> bool:
    path = os.pathsep.join(str(ROOT / folder) for folder in (*APPS, "chassis"))
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return _run(command, ROOT, PYTHONPATH=path)


def templates() -> bool:
    command = [sys.executable, "-m", "local.template_check"]
    results = [
        _run(command, ROOT / folder, PYTHONPATH=str(ROOT)) for folder in APPS
    ]  # all, to see every fault
    return all(results)


def documentation() -> bool:
    """Pages name what exists, and docs/settings.md is what the settings declare now."""
    page = ROOT / "docs" / "settings.md"
    current = page.exists() and page.read_text() == settings_docs.document()
    if not current:
        print("docs/settings.md is not what the settings declare: make docs")
    return _run([sys.executable, "-m", "pytest", "-q", "tests/docs"], ROOT) and current


CHECKS: dict[str, Callable[[], bool]] = {
    "types": types,
    "imports": imports,
    "templates": templates,
    "documentation": documentation,
}


def main() -> int:
    failed = []
    for name, check in CHECKS.items():
        print(f"{name} …", flush=True)
        if not check():
            failed.append(name)
    print(f"not right: {', '.join(failed)}" if failed else "all is well")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
