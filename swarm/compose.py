"""The stack files as Docker will read them: variables filled in, files merged. For jobs, and for tests.

`docker stack deploy` reads the same files by itself; this is the part of its rules that they use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from swarm.cluster import Failed

STACK = Path(__file__).parent / "stack"
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")


class Unset(Failed):
    """A stack file uses a variable that has no value."""


def files(*, tls: bool, azurite: bool, mail_password: bool) -> list[Path]:
    """Return the files that make the whole stack, in order."""
    extra = {"tls": tls, "azurite": azurite, "mail": mail_password, "autoscale": True}
    names = ["data", "shop", *(name for name, wanted in extra.items() if wanted)]
    return [path for name in names if (path := STACK / f"{name}.yml").exists()]


def load(paths: Iterable[Path], variables: Mapping[str, str]) -> dict[str, Any]:
    """One document of all files. Unset if a variable has no value."""
    whole: dict[str, Any] = {}
    for path in paths:
        _merge(whole, _fill(yaml.safe_load(path.read_text()), variables))
    return whole


def _fill(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return VARIABLE.sub(lambda match: _value(match, variables), node)
    if isinstance(node, dict):
        return {key: _fill(value, variables) for key, value in node.items()}
    return [_fill(value, variables) for value in node] if isinstance(node, list) else node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name, default = match["name"], match["default"]
    if name is None:
        return "$"
    value = variables.get(name)
    if default is not None:
        return value or default
    if value is None:
        raise Unset(f"The stack files use ${{{name}}}, which nothing sets (swarm/variables.py).")
    return value


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Join mappings, append lists, replace anything else."""
    for key, value in more.items():
        present = into.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            into[key] = present + value
        else:
            into[key] = value
