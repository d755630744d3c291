"""Writes docs/api.md: every public endpoint, from each service's own OpenAPI document. `make docs`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.problem_types import PROBLEMS

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("auth", "catalog", "cart", "checkout", "logs", "reco")

HEAD = """# The public contract

Written by `make docs` from the services' own OpenAPI documents. The documents themselves, with every field,
are at `/api/<service>/schema`, browsable at `/api/<service>/docs`.

JSON, `snake_case`; money is `{"amount": 1999, "currency": "EUR"}` in minor units; time is RFC 3339 in UTC.
Lists answer `{"results": [...], "next": cursor or null}` and take `limit` (1 to 100) and `cursor`.
Errors are RFC 9457 `application/problem+json` with `type, title, status, detail, request_id` and, for
invalid input, `errors`.
"""

PROBLEMS_HEAD = """
## Problem types

Clients branch on `type`; `title` and `detail` are for people.

| type | status | said by |
|---|---|---|
"""


def main() -> None:
    parts = [HEAD]
    for service in SERVICES:
        parts.append(
            f"\n## {service} `/api/{service}`\n\n| call | what |\n|---|---|\n{_calls(_schema(service))}"
        )
    print("".join(parts) + PROBLEMS_HEAD + _problems(), end="")


def _schema(service: str) -> dict[str, Any]:
    command = [sys.executable, "manage.py", "spectacular", "--format", "openapi-json"]
    result = subprocess.run(command, cwd=ROOT / f"{service}_svc", capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{service}: the OpenAPI document cannot be made\n{result.stderr[-2000:]}")
    document: dict[str, Any] = json.loads(result.stdout[result.stdout.index("{") :])
    return document


def _calls(document: dict[str, Any]) -> str:
    lines = []
    for path, methods in sorted(document["paths"].items()):
        for method, call in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                about = " ".join((call.get("description") or call.get("summary") or "").split())
                lines.append(f"| {method.upper()} `{path}` | {about.replace('|', '/')} |\n")
    return "".join(lines)


def _problems() -> str:
    rows = [(status, name, whose) for whose, types in PROBLEMS.items() for name, status in types.items()]
    return "".join(f"| `{name}` | {status} | {whose} |\n" for status, name, whose in sorted(rows))


if __name__ == "__main__":
    main()
