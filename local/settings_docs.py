"""`python -m local.settings_docs`: docs/settings.md, from what the services and `make run` declare."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from local import plan
from local.options import ROOT

FOLDERS = {**plan.FOLDERS, "autoscale": "autoscale"}
HEAD = """# Settings

Made by `make docs` from the declarations in the code; do not edit. Every variable is read once, from the
environment. With `_FILE` after its name it is the path of a file with the value, a Docker secret:
`SECRET_KEY_FILE`.
"""
OWN = """
## make run

| variable | type | default | meaning |
|---|---|---|---|
| `PORT` | int | `8000` | the shop's port; every other one is found free |
| `DATA` | Path | `var` | the shop's data folder |
| `SEED` | str | `demo` | `demo` fills an empty shop with demo goods, `none` leaves it empty |
| `DEMO` | int | `1` | `0`: as a shop without a payment provider, which takes no orders |
| `BIND` | str | `localhost` | the address to listen on; `0.0.0.0` for all of this machine |
| `AUTH_RATE` | int | `30` | log-ins, and registrations, per minute and address |
| `COUCHDB_URL` | str | `` | a CouchDB to use instead of the local one |
| `REDIS_URL` | str | `` | a Redis to use instead of the local one |
| `AZURE_STORAGE_CONNECTION_STRING` | str | `` | a blob store to use instead of the local one |
| `LOG_LEVEL` | str | `INFO` | least severe level that services log |

## Processes

| variable | type | default | meaning |
|---|---|---|---|
| `WEB_WORKERS` | int | `1` | gunicorn's processes per service |
| `WEB_THREADS` | int | `8` | threads of each |
| `WEB_KEEPALIVE` | int | `75` | seconds that an idle connection is kept |
| `WEB_GRACEFUL` | int | `25` | seconds that running requests get at the end |
| `DRAIN_SECONDS` | float | `0` | seconds to go on serving after SIGTERM |
| `REPLICA_JOBS` | int | `0` | `1`: the web server does what each replica needs (the catalogue's index) |
| `BACKGROUND_JOBS` | str | `all` | `shared`: `manage.py background` leaves that out |
| `CELERY_CONCURRENCY` | int | `1` | tasks at once per worker |
| `HEALTH_LISTEN` | str | | where gateway/healthz.py answers, host:port |
| `HEALTH_SERVICES` | JSON object | | whose /readyz it asks, name to host:port |
| `HEALTH_HOLD` | Path | | while this file exists the shop is `degraded` at best |
| `MAILBOX_LISTEN` | str | | where local/mailbox.py answers, host:port |
| `MAILBOX_FOLDER` | Path | | the mails that it shows |

## The gateway in a container

What `python -m gateway` reads; `make deploy` sets it.

| variable | type | default | meaning |
|---|---|---|---|
| `GATEWAY_MEDIA` | str | | URL of the container with the public pictures |
| `GATEWAY_SERVICES` | list | all | who has `/api/<name>` and `/admin/<name>`, at `<name>:8000` |
| `GATEWAY_AUTH_RATE` | int | `30` | log-ins, and registrations, per minute and address |
| `GATEWAY_CART_CALLS` | int | `20` | calls to the API that one cart takes at once; the next is 429 |
| `GATEWAY_CART_PAGES` | int | `8` | forms of the cart's page that one cart takes at once |
| `GATEWAY_TRUSTED` | list | private networks | whose `X-Forwarded-For` the inner listener believes |
| `GATEWAY_PROXIES` | list | | whose the outer one believes, and `-Proto`: who ends TLS before it |
| `GATEWAY_RESOLVER` | str | `127.0.0.11` | the DNS server that knows the services' names |
| `GATEWAY_WORKERS` | int | `1` | nginx's worker processes |
| `GATEWAY_DIR` | Path | `/tmp/nginx` | its temporary files; what is cached is below `DATA_DIR` |
| `TLS_CERT_FILE`, `TLS_KEY_FILE` | Path | | certificate with its chain, and key; without them plain HTTP |
| `HTTPS_PORT` | int | `443` | the port of HTTPS as browsers see it |
| `DRAIN_SECONDS` | float | `0` | seconds to go on serving after SIGTERM |
| `FIGURES_LISTEN` | str | `0.0.0.0:9101` | where gateway/figures.py answers; empty: nothing is counted |
| `NGINX` | Path | `/app/nginx` | the program |

## The node agent and the proxy before Docker

What `manage.py node_agent` and `manage.py docker_proxy` read; they start without Django.

| variable | type | default | meaning |
|---|---|---|---|
| `NODE_AGENT_LISTEN` | str | `0.0.0.0:9100` | where the agent answers |
| `CGROUP_ROOT` | Path | `/sys/fs/cgroup` | where the host's control groups are mounted |
| `PROC_ROOT` | Path | `/proc` | where the host's totals are read |
| `NODE_NAME`, `NODE_ID` | str | | what this node is called |
| `DOCKER_PROXY_LISTEN` | str | `0.0.0.0:2375` | where the proxy answers |
| `DOCKER_HOST` | str | `unix:///var/run/docker.sock` | the Docker API |
| `AUTOSCALE_CONFIG` | str | `hivemart_autoscale_overrides` | the configuration that keeps what people told |
| `STACK` | str | | the stack that it belongs to |
"""


def rows(service: str) -> list[str]:
    """Return the rows that `manage.py settings_docs` prints for a service, with no setting of this shell."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "manage.py", "settings_docs"]
    result = subprocess.run(
        command, cwd=ROOT / FOLDERS[service], env=kept, capture_output=True, text=True, check=True
    )
    printed = result.stdout.replace(str(ROOT), ".").replace(f"var/{service}", "var/<service>")
    return [line for line in printed.splitlines() if line.startswith("| `")]


def document() -> str:
    """Return the whole page."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        by_service = dict(zip(FOLDERS, pool.map(rows, FOLDERS), strict=True))
    common = set.intersection(*(set(found) for found in by_service.values()))
    parts = [HEAD, OWN, _section("Every service", sorted(common))]
    parts += [
        _section(f"{name}", [row for row in own if row not in common]) for name, own in by_service.items()
    ]
    return "".join(part for part in parts if part)


def _section(title: str, own: list[str]) -> str:
    table = "\n".join(["| variable | type | default | meaning |", "|---|---|---|---|", *own])
    return f"\n## {title}\n\n{table}\n" if own else ""


if __name__ == "__main__":
    sys.stdout.write(document())
