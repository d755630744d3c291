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
from swarm.snapshot import Snapshot, take_snapshot
from swarm.usage import UsageSampler

SAMPLE_SECONDS = 1.0  # between two samples of the counters
REFRESH_SECONDS = 2.0  # between two frames
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
        _show_once(cluster, as_json=wanted.json, html=wanted.html)


def measured_snapshot(cluster: Cluster) -> Snapshot:
    """Return a snapshot with CPU and memory: it takes two or three seconds.

    Raises Failed when nothing is deployed.
    """
    if not cluster.services():
        raise Failed(f"Nothing is deployed as {cluster.stack}: make deploy first, or say which STACK.")
    usage = UsageSampler(cluster)
    usage.sample_usage()
    time.sleep(SAMPLE_SECONDS)
    return take_snapshot(cluster, usage.sample_usage(), drift.find(cluster))


def _parse(arguments: Sequence[str], env: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swarm status", description=__doc__)
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--watch", action="store_true", default=bool(env.get("WATCH")), help="until Ctrl-C")
    modes.add_argument("--json", action="store_true", default=bool(env.get("JSON")), help="for programs")
    modes.add_argument(
        "--web", nargs="?", type=int, const=PORT, default=_port(env), metavar="PORT", help="a page"
    )
    modes.add_argument("--html", type=Path, default=env.get("HTML") or None, metavar="FILE", help="a still")
    return parser.parse_args(list(arguments))


def _port(env: Mapping[str, str]) -> int | None:
    text = env.get("WEB", "")
    if not text:
        return None
    if not text.isdecimal() or int(text) > 65535:
        raise BadOption(f"WEB={text} is not a port: a number up to 65535.")
    return PORT if int(text) == 1 else int(text)


def _show_once(cluster: Cluster, *, as_json: bool, html: Path | str | None) -> None:
    snapshot = measured_snapshot(cluster)
    if html:
        Path(html).write_text(page.render_static(snapshot), encoding="utf-8")
        print(f"{html} shows {snapshot.stack} as it is now.")
    elif as_json:
        print(json.dumps(snapshot.as_json(), indent=1))
    else:
        print(terminal.draw(snapshot, style()), end="")


def _watch(cluster: Cluster) -> None:
    usage, ids = UsageSampler(cluster), drift.ImageIds(cluster)
    while True:
        frame = terminal.draw(take_snapshot(cluster, usage.sample_usage(), drift.find(cluster, ids)), style())
        print(CLEAR + frame if sys.stdout.isatty() else frame, end="", flush=True)
        time.sleep(REFRESH_SECONDS)


def style(env: Mapping[str, str] = os.environ) -> terminal.Style:
    """Return what this terminal can show; colours only for people, and not where NO_COLOR is set."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return terminal.Style(
        width=max(24, shutil.get_terminal_size((100, 40)).columns),
        colour=sys.stdout.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb",
        unicode=encoding.startswith("utf"),
    )
