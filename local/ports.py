"""Ports of this machine: the shop's own, and free ones for everything behind it."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

import psutil

# Below the range from which Linux takes the ports of outgoing connections: one of those must not sit on a
# process's port in the moment in which the process is started again.
FIRST, LAST = 20000, 31999


class PortTaken(Exception):
    """The text is one sentence for the person at the terminal."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise PortTaken(f"Port {port} needs root: choose one above 1023 with PORT=.") from error
        except OSError:
            return False
        return True


def check(port: int) -> None:
    """Raise PortTaken, with the process that holds it, if the shop cannot have this port."""
    if not is_free(port):
        who = _holder(port)
        raise PortTaken(f"Port {port} is in use{who}: stop what listens there, or choose another with PORT=.")


def _holder(port: int) -> str:
    """` by nginx (process 4711)`; empty if only another user's process could be asked."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {_name(psutil.Process(connection.pid))} (process {connection.pid})"
    return ""


def _name(process: psutil.Process) -> str:
    """Return the program, and for Python what it runs."""
    words = [Path(word).name for word in process.cmdline()] or [process.name()]
    runs = [word for word in words[1:] if not word.startswith("-")][:2] if "python" in words[0] else []
    return " ".join([words[0], *runs])


def has_ipv6() -> bool:
    """Whether `localhost` may be ::1 here too."""
    try:
        return socket.has_ipv6 and is_free(0, "::1")
    except OSError:
        return False


def free(count: int) -> list[int]:
    """So many different free ports."""
    found: list[int] = []
    for port in random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
        if len(found) == count:
            return found
        if is_free(port):
            found.append(port)
    raise PortTaken(f"There are no {count} free ports between {FIRST} and {LAST}.")
