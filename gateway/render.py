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
DRAINING = "draining"
"""name of a file in `directory`: while it is there, /edge-health says 503"""
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
    "strict-transport-security",
]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of the gateway. Addresses are `host:port`; one whose host is a name needs `resolver`."""

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
    cart_calls: int = 20
    """calls to the API that one cart takes at once; the next is 429"""
    cart_pages: int = 8
    """forms of the cart's page that one cart takes at once"""
    workers: int = 1
    keepalive: int = 16
    """idle connections kept to each upstream; 0 where a node may vanish"""
    connect: str = "1s"
    """patience with an upstream that does not even take the connection"""
    patience: str = "3s"
    """what running requests get at the end"""
    answers_size: str = "256m"
    media_size: str = "1g"
    certificate: str = ""
    """files of a certificate with its chain, and of its key: with them `outer` speaks HTTPS"""
    certificate_key: str = ""
    plain: Sequence[str] = ()
    """addresses that lead to HTTPS; only with a certificate"""
    tls_port: int = 443
    """the port of HTTPS as browsers see it"""
    proxies: Sequence[str] = ()
    """networks of whoever ends TLS in front: the outer listener believes their X-Forwarded-For and -Proto"""
    resolver: str = ""
    user: str = ""
    hsts: bool = False
    """browsers are told to use HTTPS only, for a year; not with a certificate that they do not know"""
    error_level: str = "error"
    """least severe fault that nginx writes of itself; failed requests are written besides"""
    figures: str = ""
    """file in memory for `gateway.figures`; empty: nothing is counted"""


def fill_template(template: str, values: Mapping[str, Any]) -> str:
    """Replace {{name}} in the template, and keep {{#name}}…{{/name}} only where the value is truthy."""
    with_sections = SECTION.sub(lambda match: match[2] if values[match[1]] else "", template)
    return NAME.sub(lambda match: str(values[match[1]]), with_sections)


def _upstream(name: str, servers: Sequence[str], settings: Settings) -> str:
    """One group. `max_fails=0`: a single replica that starts again must not be left out for ten seconds."""
    resolve = " resolve" if settings.resolver else ""
    lines = [f"server {server}{resolve} max_fails=0;" for server in servers]
    lines += [f"keepalive {settings.keepalive};"]
    if settings.keepalive:
        # Idle connections end here first, or a POST could meet one that the service just closed.
        lines += ["keepalive_timeout 20s;"]
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


def _directives(directive: str, values: Sequence[str], more: str = "") -> str:
    return "\n".join(f"        {directive} {value} {more}".rstrip() + ";" for value in values)


def _quoted(text: str) -> str:
    """Return a template's text as the inside of a single-quoted string of nginx."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _style_hash(page: str) -> str:
    style = page.partition("<style>")[2].partition("</style>")[0]
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _headers(settings: Settings, *, outer: bool) -> str:
    """Return the directives of what is in every answer, on one line.

    A location with headers of its own loses these.
    """
    lines = ["add_header X-Request-ID $rid always;"]
    if settings.hsts and outer:
        lines += ['add_header Strict-Transport-Security "max-age=31536000" always;']
    return " ".join(lines)


def _edge_health(settings: Settings) -> str:
    """503 while this gateway is about to end; whoever balances between several of them asks for it."""
    return (
        "        location = /edge-health {\n            default_type text/plain;\n"
        f'            if (-f "{settings.directory}/{DRAINING}") {{ return 503 "draining\\n"; }}\n'
        '            return 200 "ok\\n";\n        }'
    )


def _routes(settings: Settings, *, outer: bool) -> str:
    media = urlsplit(settings.media)
    headers = _headers(settings, outer=outer)
    sorry = (TEMPLATES / "sorry.html").read_text()
    return fill_template(
        (TEMPLATES / "routes.conf").read_text(),
        {
            "outer": outer,
            "inner": not outer,
            "listener": "outer" if outer else "inner",
            # A page is made of answers that came through the inner listener: together they stay below 4 s.
            "fresh": "2s" if outer else "1s",
            "forwarded_host": "$http_host" if outer else "$inner_host",
            "forwarded_proto": "$scheme" if outer and not settings.proxies else "$inner_proto",
            "connect": settings.connect,
            "headers": headers,
            "edge_health": _edge_health(settings),
            "tls": settings.certificate,
            "services": "|".join(map(re.escape, settings.services)),
            "auth_burst": settings.auth_burst,
            "cart_calls": settings.cart_calls,
            "cart_pages": settings.cart_pages,
            "figures": settings.figures,
            "media_host": media.netloc,
            "media_path": media.path.rstrip("/"),
            "media_scheme": media.scheme,
            "media_query": f"?{media.query}" if media.query else "",
            "hide_blob_headers": _directives("proxy_hide_header", HIDDEN_BLOB_HEADERS),
            "mailbox": settings.mailbox,
            "problem_pages": nginx_locations(headers),
            "no_picture": _quoted((TEMPLATES / "no-picture.svg").read_text()),
            "sorry": _quoted(sorry),
            "sorry_style": _style_hash(sorry),
        },
    )


def _listen_options(settings: Settings) -> str:
    return "ssl backlog=4096" if settings.certificate else "backlog=4096"


def render(settings: Settings) -> str:
    """Return the whole nginx.conf."""
    return fill_template(
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
            "patience": settings.patience,
            "error_level": settings.error_level,
            "answers_size": settings.answers_size,
            "media_size": settings.media_size,
            "tls": settings.certificate,
            "certificate": settings.certificate,
            "certificate_key": settings.certificate_key,
            "tls_port": "" if settings.tls_port == 443 else f":{settings.tls_port}",
            "edge_health": _edge_health(settings),
            "proxies": _directives("set_real_ip_from", settings.proxies),
            "listen_plain": _directives("listen", settings.plain, "backlog=4096"),
            "listen_outer": _directives("listen", settings.outer, _listen_options(settings)),
            "listen_inner": _directives("listen", settings.inner, "backlog=4096"),
            "trusted": _directives("set_real_ip_from", settings.trusted),
            "routes_outer": _routes(settings, outer=True),
            "routes_inner": _routes(settings, outer=False),
        },
    )


def main(arguments: Sequence[str]) -> None:
    source, target = map(Path, arguments)
    Path(target).write_text(render(Settings(**json.loads(source.read_text()))))


if __name__ == "__main__":
    main(sys.argv[1:])
