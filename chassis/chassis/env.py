"""Environment variables: each is declared once, by `chassis.settings` or a service's `config/settings.py`.

`docs/settings.md` is generated from these declarations by `manage.py settings_docs`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class BadSetting(Exception):
    """An environment variable cannot be understood, or is not allowed in production."""


@dataclass(frozen=True)
class Var:
    """One environment variable.

    `NAME_FILE`, a path whose file holds the value, is accepted for each; for a list several of them, with
    colons between.
    """

    name: str
    type: Callable[[str], Any]
    default: Any
    meaning: str
    secret: bool = False


VARIABLES: dict[str, Var] = {}


def env(name: str, type: Callable[..., T], default: T, meaning: str, secret: bool = False) -> T:
    """Return the value of the variable `name`, read from the environment now and kept for `docs/settings.md`.

    `type` is `str`, `int`, `float`, `bool`, `Path`, `list` (comma separated), `dict` (JSON) or any parser
    of a string. Raises `BadSetting` when the text cannot be parsed.
    """
    VARIABLES[name] = Var(name, type, default, meaning, secret)
    text = _raw(name)
    if text is None:
        return default
    try:
        parse: Callable[[str], T] = _PARSERS.get(type, type)
        value = parse(text)
    except (ValueError, TypeError) as error:
        shown = "its value" if secret else repr(text)
        raise BadSetting(f"{name}: {shown} is not a valid {_type_name(type)} ({meaning})") from error
    return value


def is_set(name: str) -> bool:
    """Return True if the environment says what this variable is, so that its default does not count."""
    return bool(_raw(name))


def _raw(name: str) -> str | None:
    paths = os.environ.get(f"{name}_FILE")
    if paths:
        try:
            return ",".join(Path(path).read_text().strip() for path in paths.split(":"))
        except OSError as error:
            raise BadSetting(f"{name}_FILE: {error}") from error
    return os.environ.get(name)


def _bool(text: str) -> bool:
    value = text.strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError(text)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _dict(text: str) -> dict[str, Any]:
    value = json.loads(text or "{}")
    if not isinstance(value, dict):
        raise ValueError(text)  # noqa: TRY004 - what env() expects of a parser
    return value


_PARSERS: dict[Any, Callable[[str], Any]] = {bool: _bool, list: _list, dict: _dict}


def _type_name(type: Any) -> str:
    return {list: "list", dict: "JSON object"}.get(type, getattr(type, "__name__", str(type)))


def table() -> str:
    """All declared variables as a Markdown table, sorted by name."""
    lines = ["| variable | type | default | meaning |", "|---|---|---|---|"]
    for var in sorted(VARIABLES.values(), key=lambda v: v.name):
        default = "*(secret)*" if var.secret and var.default else f"`{_shown(var.default)}`"
        lines.append(f"| `{var.name}` | {_type_name(var.type)} | {default} | {var.meaning} |")
    return "\n".join(lines) + "\n"


def _shown(default: Any) -> str:
    if isinstance(default, list):
        return ",".join(default)
    return json.dumps(default) if isinstance(default, dict) else str(default)
