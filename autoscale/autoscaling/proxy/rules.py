"""What the autoscaler may ask of Docker, and what becomes of it. Everything else is refused.

Reads are those of a list. A write of a service takes one number from the caller, `Replicas`: whatever else it
sends is ignored, and the rest of what is written is the service's own specification as it is now
(security.md, 23).
"""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Mapping
from typing import Any

from autoscaling.engine import Engine, Refused, name_in_path
from autoscaling.labels import ENABLED, MOST_REPLICAS, BadLabel, flag

READS = re.compile(r"/(?:_ping|version|info|nodes|services|tasks|(?:nodes|services|tasks)/[\w.-]{1,128})\Z")
FILTERS = frozenset({"filters", "status", "insertDefaults"})
SERVICE_UPDATE = re.compile(r"/services/([\w.-]{1,128})/update\Z")
NAMESPACE = "com.docker.stack.namespace"
DATA = base64.b64encode(b"What people told the autoscaler is in this config's labels.\n").decode()
#: `hold`, or a service's name and what is told of it; values are as short as their names.
OVERRIDE = re.compile(r"(?:hold|[\w.-]{1,100}:(?:min|max|paused))\Z")
VALUE = re.compile(r"(?:true|[1-9]\d{0,3})\Z")
MOST_OVERRIDES = 200


class Rules:
    """The proxy's decisions, on the engine behind it.

    `config` is the name of the Docker config whose labels are what people told the autoscaler, `stack` the
    stack that it belongs to ("" for none).
    """

    def __init__(self, engine: Engine, *, config: str, stack: str = "") -> None:
        self._engine, self._config, self._stack = engine, config, stack

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """Answer a request. Raises Refused (403 for what is not allowed) and EngineDown."""
        if path == "/overrides":
            return self._read() if method == "GET" else self._write(method, _version(query), body)
        if method == "GET" and READS.match(path):
            return self._engine.get(path, {key: query[key] for key in FILTERS & query.keys()})
        if method == "POST" and (match := SERVICE_UPDATE.match(path)):
            return self._scale(match[1], _version(query), _replicas(body))
        raise Refused(403, f"{method} {path} is not for the autoscaler")

    def _scale(self, id: str, version: int, replicas: int) -> Any:
        path = f"/services/{name_in_path(id)}"
        service = self._engine.get(path)
        if service["Version"]["Index"] != version:
            raise Refused(409, "update out of sequence")
        spec = copy.deepcopy(service["Spec"])
        if not _enabled(spec.get("Labels") or {}):
            raise Refused(403, f"{spec.get('Name')} has no label {ENABLED}=true")
        if "Replicated" not in (spec.get("Mode") or {}):
            raise Refused(403, f"{spec.get('Name')} is not replicated")
        spec["Mode"]["Replicated"]["Replicas"] = replicas
        return self._engine.post(f"{path}/update", spec, {"version": version})

    def _read(self) -> dict[str, Any]:
        config = self._found()
        if config is None:
            return {"version": 0, "overrides": {}}
        labels = config["Spec"].get("Labels") or {}
        told = {name: value for name, value in labels.items() if OVERRIDE.match(name)}
        return {"version": config["Version"]["Index"], "overrides": told}

    def _found(self) -> Any:
        rows = self._engine.get("/configs", {"filters": {"name": [self._config]}})
        return next((row for row in rows if row["Spec"]["Name"] == self._config), None)

    def _write(self, method: str, version: int, body: Any) -> Any:
        if method != "POST":
            raise Refused(403, f"{method} /overrides is not for the autoscaler")
        labels = {**_overrides(body), **({NAMESPACE: self._stack} if self._stack else {})}
        config = self._found()
        if version != (config["Version"]["Index"] if config else 0):
            raise Refused(409, "update out of sequence")
        if config is None:
            self._engine.post("/configs/create", {"Name": self._config, "Labels": labels, "Data": DATA})
        else:
            spec = {"Name": self._config, "Labels": labels}
            self._engine.post(f"/configs/{name_in_path(config['ID'])}/update", spec, {"version": version})
        return self._read()


def _enabled(labels: Mapping[str, str]) -> bool:
    """As the loop reads it; what it cannot read is not enabled."""
    try:
        return flag(labels, "enabled")
    except BadLabel:
        return False


def _version(query: Mapping[str, str]) -> int:
    text = query.get("version", "")
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, "version is missing")
    return int(text)


def _replicas(body: Any) -> int:
    """Return the one number that is taken from the caller."""
    try:
        replicas = body["Mode"]["Replicated"]["Replicas"]
    except (KeyError, TypeError):
        replicas = None
    if type(replicas) is not int or not 1 <= replicas <= MOST_REPLICAS:
        raise Refused(400, f"Mode.Replicated.Replicas is not a number from 1 to {MOST_REPLICAS}")
    return replicas


def _overrides(body: Any) -> dict[str, str]:
    good = (
        isinstance(body, dict)
        and len(body) <= MOST_OVERRIDES
        and all(
            isinstance(value, str) and OVERRIDE.match(name) and VALUE.match(value)
            for name, value in body.items()
        )
    )
    if not good:
        raise Refused(400, "overrides are not {name: value} of the autoscaler")
    return dict(body)
