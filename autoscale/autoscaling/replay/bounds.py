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
    """Raise NotAllowed unless the host is this machine's loopback by every address, or the stack's own."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise NotAllowed(f"{url}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotAllowed(f"{url} is no http or https address")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise NotAllowed(f"{url} says more than scheme, host and port; the path belongs to --request")
    if parts.hostname in OWN_STACK:
        return
    try:
        found = {row[4][0] for row in socket.getaddrinfo(parts.hostname, port)}
    except (OSError, UnicodeError) as error:
        raise NotAllowed(f"{parts.hostname}: {error}") from None
    if not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise NotAllowed(
            f"{parts.hostname} is not this machine: load is sent to loopback or the own stack only"
        )


def check_request(text: str) -> tuple[str, str]:
    """Return method and path of `GET /path?query`. Raises NotAllowed."""
    method, _, path = text.partition(" ")
    if not method.isalpha() or not path.startswith("/") or not path.isascii() or not path.isprintable():
        raise NotAllowed(f"{text!r} is not a method and a path, as GET /api/catalog/products?min_price={{n}}")
    if " " in path:
        raise NotAllowed(f"{text!r} has a space in its path: write it as %20")
    return method.upper(), path


def check_size(rate: float, seconds: float) -> None:
    """Raise NotAllowed for a load without measure."""
    if rate > MOST_RATE:
        raise NotAllowed(
            f"{rate:.0f} requests a second are more than {MOST_RATE:.0f}: give a smaller --scale"
        )
    if seconds > MOST_SECONDS:
        raise NotAllowed(f"{seconds:.0f} s are more than {MOST_SECONDS:.0f}: give --seconds")
