"""`make status`: what runs where, in the terminal or as a page (`python -m swarm status --help`)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from swarm import drift, page, terminal
from swarm.cluster import Cluster, Failed
from swarm.options import BadOption
from swarm.snapshot import Snapshot, take
from swarm.usage import Usage

BETWEEN = 1.0  # seconds between two looks at counters
EVERY = 2.0  # seconds between two pictures
PORT = 8099
CLEAR = "\x1b[H\x1b[2J"


def status(cluster: Cluster, arguments: Sequence[str] = ()) -> None:
    """Once, or until Ctrl-C. Make variables say the same as arguments: WATCH=1 JSON=1 WEB=8099 HTML=file."""
    wanted = _parse(arguments, os.environ)
    if wanted.web is not None:
        page.serve(cluster, wanted.web)
    elif wanted.watch:
        _watch(cluster)
    else:
        _once(cluster, as_json=wanted.json, html=wanted.html)


def look(cluster: Cluster) -> Snapshot:
    """Return a snapshot with CPU and memory: it takes two or three seconds.

    Raises Failed when nothing is deployed.
    """
    if not cluster.services():
        raise Failed(f"Nothing is deployed as {cluster.stack}: make deploy first, or say which STACK.")
    usage = Usage(cluster)
    usage.look()
    time.sleep(BETWEEN)
    return take(cluster, usage.look(), drift.find(cluster))


def _parse(arguments: Sequence[str], env: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swarm status", description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", default=bool(env.get("WATCH")), help="until Ctrl-C")
    how.add_argument("--json", action="store_true", default=bool(env.get("JSON")), help="for programs")
    how.add_argument(
        "--web", nargs="?", type=int, const=PORT, default=_port(env), metavar="PORT", help="a page"
    )
    how.add_argument("--html", type=Path, default=env.get("HTML") or None, metavar="FILE", help="a still")
    return parser.parse_args(list(arguments))


def _port(env: Mapping[str, str]) -> int | None:
    text = env.get("WEB", "")
    if not text:
        return None
    if not text.isdecimal() or int(text) > 65535:
        raise BadOption(f"WEB={text} is not a port: a number up to 65535.")
    return PORT if int(text) == 1 else int(text)


def _once(cluster: Cluster, *, as_json: bool, html: Path | str | None) -> None:
    seen = look(cluster)
    if html:
        Path(html).write_text(page.still(seen), encoding="utf-8")
        print(f"{html} shows {seen.stack} as it is now.")
    elif as_json:
        print(json.dumps(seen.as_json(), indent=1))
    else:
        print(terminal.draw(seen, style()), end="")


def _watch(cluster: Cluster) -> None:
    usage, ids = Usage(cluster), drift.ImageIds(cluster)
    while True:
        picture = terminal.draw(take(cluster, usage.look(), drift.find(cluster, ids)), style())
        print(CLEAR + picture if sys.stdout.isatty() else picture, end="", flush=True)
        time.sleep(EVERY)


def style(env: Mapping[str, str] = os.environ) -> terminal.Style:
    """Return what this terminal can show; colours only for people, and not where NO_COLOR is set."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return terminal.Style(
        width=max(24, shutil.get_terminal_size((100, 40)).columns),
        colour=sys.stdout.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb",
        unicode=encoding.startswith("utf"),
    )
