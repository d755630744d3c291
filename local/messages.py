"""Find warnings and errors among the lines that processes print."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 300  # characters of a message on the terminal
_LEVELS = {"warning": "warning", "warn": "warning", "error": "error", "critical": "error", "fatal": "error"}
_NGINX = re.compile(r"\d{4}/\d\d/\d\d \S+ \[(?P<level>warn|error|crit|alert|emerg)\] [^:]*: (?P<text>.*)")
_BRACKETS = re.compile(r"\[(?:[^\]]*\b)?(?P<level>WARNING|ERROR|CRITICAL)\b[^\]]*\] (?P<text>.*)")
_RAISED = re.compile(r"(?:[A-Za-z_][\w.]*\.)?\w*(?:Error|Exception)\b(?:: .*|$)")


@dataclass(frozen=True, slots=True)
class Message:
    """Something that a person should see. `level` is `warning` or `error`; `text` is one line."""

    level: str
    text: str


def read(line: str) -> Message | None:
    """Return what the line warns of; None for anything else, which the log on disk has."""
    if line.startswith("{"):
        return _of_json(line)
    if found := _NGINX.match(line):
        return Message("warning" if found["level"] == "warn" else "error", _short(found["text"]))
    if found := _BRACKETS.search(line):
        return Message(_LEVELS[found["level"].lower()], _short(found["text"]))
    return Message("error", _short(line)) if _RAISED.match(line) else None


def _of_json(line: str) -> Message | None:
    """Return a service's log line, or the gateway's of an answer with a status from 500 on."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    if "upstream_status" in entry:
        return Message("warning", _short(f"{entry.get('status')} {entry.get('method')} {entry.get('uri')}"))
    level = _LEVELS.get(str(entry.get("level", "")).lower())
    if level is None:
        return None
    raised = str(entry.get("exc_info") or "").strip().splitlines()
    text = str(entry.get("message", ""))
    return Message(level, _short(f"{text} ({raised[-1]})" if raised else text))


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= MAX_LENGTH else plain[: MAX_LENGTH - 1] + "…"
