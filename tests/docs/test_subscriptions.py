"""Every subscription has a handler and every handler a subscription, over all services."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = {
    "auth": "accounts",
    "catalog": "catalog",
    "cart": "cart",
    "checkout": "checkout",
    "logs": "logs",
    "reco": "reco",
}
# Read by a service itself: relays by their database, and handlers by the type of the event.
READ = """
import importlib, json, os, sys
import django
sys.path.insert(0, ".")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
from chassis.messaging import Relay
module = importlib.import_module(sys.argv[1] + ".container")
relays = [value for value in vars(module).values() if isinstance(value, Relay)]
relays += [each for value in vars(module).values() if isinstance(value, (list, tuple))
           for each in value if isinstance(each, Relay)]
told = {kind: list(names) for relay in relays for kind, names in relay.subscriptions.items()}
print(json.dumps({"subscriptions": told, "handlers": sorted(getattr(module, "HANDLERS", {}))}))
"""


@pytest.fixture(scope="module")
def services() -> dict[str, dict]:
    """Return subscriptions and handlers of each service, as it declares them."""
    env = {**os.environ, "HIVEMART_ENV": "test", "COUCHDB_URL": "memory:", "REDIS_URL": "memory:"}
    env["PYTHONPATH"] = str(ROOT / "chassis")
    found = {}
    for name, app in APPS.items():
        command = [sys.executable, "-c", READ, app]
        done = subprocess.run(  # noqa: S603 -- our own command
            command, cwd=ROOT / f"{name}_svc", env=env, capture_output=True, text=True, check=True
        )
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def subscribed(services) -> set[tuple[str, str]]:
    """Return (type of event, subscriber), over all services."""
    return {
        (kind, name)
        for service in services.values()
        for kind, names in service["subscriptions"].items()
        for name in names
    }


def test_every_subscription_has_a_handler(services):
    handled = {(kind, name) for name, service in services.items() for kind in service["handlers"]}

    assert sorted(subscribed(services) - handled) == []


def test_every_handler_has_a_subscription(services):
    handled = {(kind, name) for name, service in services.items() for kind in service["handlers"]}

    assert sorted(handled - subscribed(services)) == []


def test_the_table_of_events_is_what_the_services_declare(services):
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = [line for line in page.splitlines() if re.match(r"\| `[a-z]+\.[a-z]+` \|", line)]

    assert table == [
        f"| `{kind}` | {', '.join(_sources(services, kind))} | {', '.join(_subscribers(services, kind))} |"
        for kind in sorted({kind for kind, _ in subscribed(services)})
    ]


def _sources(services, kind: str) -> list[str]:
    return sorted(name for name, service in services.items() if kind in service["subscriptions"])


def _subscribers(services, kind: str) -> list[str]:
    return sorted({name for subscribed_kind, name in subscribed(services) if subscribed_kind == kind})
