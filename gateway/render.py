"""nginx's configuration from the template: `python -m gateway.render settings.json nginx.conf`.

The same templates serve `make run` (addresses on this machine) and the Swarm (names that nginx
resolves again and again); what differs is in the settings. Standard library only: it runs in any image.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.problems import nginx_locations

TEMPLATES = Path(__file__).parent / "templates"
SECTION = re.compile(r"^[ ]*\{\{#(\w+)\}\}\n?(.*?)\{\{/\1\}\}\n?", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"\{\{(\w+)\}\}")
HIDDEN_BLOB_HEADERS = [
    "x-ms-access-tier",
    "x-ms-access-tier-inferred",
    "x-ms-blob-type",
    "x-ms-client-request-id",
    "x-ms-creation-time",
    "x-ms-lease-state",
    "x-ms-lease-status",
    "x-ms-request-id",
    "x-ms-server-encrypted",
    "x-ms-version",
]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the gateway is told. Addresses are `host:port`; one whose host is a name needs `resolver`."""

    outer: Sequence[str]
    """addresses to listen on for the world"""
    inner: Sequence[str]
    """addresses to listen on for services and the storefront"""
    services: Mapping[str, Sequence[str]]
    """name of each service -> its replicas"""
    storefront: Sequence[str]
    health: Sequence[str]
    media: str
    """URL of the container with the public pictures, with a SAS as its query if it is a private one"""
    directory: str
    """folder for nginx's own temporary files"""
    cache: str = ""
    mailbox: Sequence[str] = ()
    trusted: Sequence[str] = ("127.0.0.0/8", "::1")
    """networks whose X-Forwarded-For the inner listener believes"""
    auth_rate: int = 30
    """log-ins, and registrations, per minute and address"""
    auth_burst: int = 30
    workers: int = 1
    keepalive: int = 16
    """idle connections kept to each upstream; 0 where a node may vanish"""
    resolver: str = ""
    user: str = ""
    hsts: bool = False
    figures: str = ""
    """file in memory for `gateway.figures`; empty: nothing is counted"""


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with {{name}} replaced, and {{#name}}…{{/name}} kept only where the value is truthy."""
    kept = SECTION.sub(lambda match: match[2] if values[match[1]] else "", template)
    return NAME.sub(lambda match: str(values[match[1]]), kept)


def _upstream(name: str, servers: Sequence[str], settings: Settings) -> str:
    """One group. `max_fails=0`: a single replica that starts again must not be left out for ten seconds."""
    resolve = " resolve" if settings.resolver else ""
    lines = [f"server {server}{resolve} max_fails=0;" for server in servers]
    if settings.keepalive:
        # Idle connections end here first, or a POST could meet one that the service just closed.
        lines += [f"keepalive {settings.keepalive};", "keepalive_timeout 20s;"]
    inside = "\n".join(f"        {line}" for line in [f"zone {name} 64k;", *lines])
    return f"    upstream {name} {{\n{inside}\n    }}\n"


def _upstreams(settings: Settings) -> str:
    media = urlsplit(settings.media)
    groups = {
        **settings.services,
        "storefront": settings.storefront,
        "health": settings.health,
        "media": [f"{media.hostname}:{media.port or (443 if media.scheme == 'https' else 80)}"],
        **({"mailbox": settings.mailbox} if settings.mailbox else {}),
    }
    return "\n".join(_upstream(name, servers, settings) for name, servers in groups.items())


def _lines(directive: str, values: Sequence[str], more: str = "") -> str:
    return "\n".join(f"        {directive} {value} {more}".rstrip() + ";" for value in values)


def _quoted(text: str) -> str:
    """A template's text as the inside of a single-quoted string of nginx."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _style_hash(page: str) -> str:
    style = page.partition("<style>")[2].partition("</style>")[0]
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _routes(settings: Settings, *, outer: bool) -> str:
    media = urlsplit(settings.media)
    sorry = (TEMPLATES / "sorry.html").read_text()
    return fill(
        (TEMPLATES / "routes.conf").read_text(),
        {
            "outer": outer,
            "inner": not outer,
            "listener": "outer" if outer else "inner",
            # A page is made of answers that came through the inner listener: together they stay below 4 s.
            "fresh": "2s" if outer else "1s",
            "forwarded_host": "$http_host" if outer else "$inner_host",
            "forwarded_proto": "$scheme" if outer else "$inner_proto",
            "services": "|".join(map(re.escape, settings.services)),
            "auth_burst": settings.auth_burst,
            "hsts": settings.hsts and outer,
            "figures": settings.figures,
            "media_host": media.netloc,
            "media_path": media.path.rstrip("/"),
            "media_scheme": media.scheme,
            "media_query": f"?{media.query}" if media.query else "",
            "hide_blob_headers": _lines("proxy_hide_header", HIDDEN_BLOB_HEADERS),
            "mailbox": settings.mailbox,
            "problem_pages": nginx_locations(),
            "no_picture": _quoted((TEMPLATES / "no-picture.svg").read_text()),
            "sorry": _quoted(sorry),
            "sorry_style": _style_hash(sorry),
        },
    )


def render(settings: Settings) -> str:
    """The whole nginx.conf."""
    return fill(
        (TEMPLATES / "nginx.conf").read_text(),
        {
            "user": settings.user,
            "workers": settings.workers,
            "directory": settings.directory,
            "cache": settings.cache or f"{settings.directory}/cache",
            "resolver": settings.resolver,
            "figures": settings.figures,
            "auth_rate": settings.auth_rate,
            "upstreams": _upstreams(settings),
            "listen_outer": _lines("listen", settings.outer, "backlog=4096"),
            "listen_inner": _lines("listen", settings.inner, "backlog=4096"),
            "trusted": _lines("set_real_ip_from", settings.trusted),
            "routes_outer": _routes(settings, outer=True),
            "routes_inner": _routes(settings, outer=False),
        },
    )


def main(arguments: Sequence[str]) -> None:
    source, target = map(Path, arguments)
    Path(target).write_text(render(Settings(**json.loads(source.read_text()))))


if __name__ == "__main__":
    main(sys.argv[1:])
