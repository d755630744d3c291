"""What a replay may do: this machine or its own stack, and not without end."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

OWN_STACK = frozenset({"gateway", "inner"})  # names that only containers of the stack can resolve
MOST_RATE = 500.0  # requests per second
MOST_SECONDS = 4 * 3600.0
MOST_IN_FLIGHT = 1000


class NotAllowed(ValueError):
    """The text is a sentence for who asked."""


def check_target(url: str) -> None:
    """Raises NotAllowed unless the host is this machine's loopback by every address, or the stack's own."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotAllowed(f"{url} is no http or https address")
    if parts.hostname in OWN_STACK:
        return
    try:
        found = {row[4][0] for row in socket.getaddrinfo(parts.hostname, parts.port or 80)}
    except OSError as error:
        raise NotAllowed(f"{parts.hostname}: {error}") from error
    if not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise NotAllowed(
            f"{parts.hostname} is not this machine: load is sent to loopback or the own stack only"
        )


def check_size(rate: float, seconds: float) -> None:
    """Raises NotAllowed for a load without measure."""
    if rate > MOST_RATE:
        raise NotAllowed(
            f"{rate:.0f} requests a second are more than {MOST_RATE:.0f}: give a smaller --scale"
        )
    if seconds > MOST_SECONDS:
        raise NotAllowed(f"{seconds:.0f} s are more than {MOST_SECONDS:.0f}: give --seconds")
