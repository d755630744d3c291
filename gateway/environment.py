"""The gateway's settings in a container, from the environment (docs/settings.md lists the variables)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from gateway.render import Settings

SERVICES = "auth,catalog,cart,checkout,logs,reco,autoscale"
PRIVATE_NETWORKS = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8"
"""where the containers of a Swarm are; only they reach the inner listener"""
HTTP, HTTPS, INNER = 8080, 8443, 8001


def settings(env: Mapping[str, str], directory: Path, cache: Path, figures: str = "") -> Settings:
    """Every service at its name and port 8000, asked for again and again: replicas come and go.

    With TLS_CERT_FILE and TLS_KEY_FILE the outer listener speaks HTTPS on 8443, and 8080 leads there.
    """
    certificate, key = env.get("TLS_CERT_FILE", ""), env.get("TLS_KEY_FILE", "")
    port = HTTPS if certificate else HTTP
    return Settings(
        outer=[f"0.0.0.0:{port}"],
        plain=[f"0.0.0.0:{HTTP}"] if certificate else [],
        inner=[f"0.0.0.0:{INNER}"],
        services={name: [f"{name}:8000"] for name in _list(env.get("GATEWAY_SERVICES") or SERVICES)},
        storefront=["storefront:8000"],
        health=["health:8000"],
        media=env["GATEWAY_MEDIA"],
        directory=str(directory),
        cache=str(cache),
        trusted=_list(env.get("GATEWAY_TRUSTED") or PRIVATE_NETWORKS),
        proxies=_list(env.get("GATEWAY_PROXIES", "")),
        auth_rate=int(env.get("GATEWAY_AUTH_RATE") or 30),
        auth_burst=int(env.get("GATEWAY_AUTH_RATE") or 30),
        cart_calls=int(env.get("GATEWAY_CART_CALLS") or 20),
        cart_pages=int(env.get("GATEWAY_CART_PAGES") or 8),
        workers=int(env.get("GATEWAY_WORKERS") or 1),
        # A node may vanish: nothing is kept that could lead there, and whoever does not take a connection at
        # once is passed over.
        keepalive=0,
        connect="400ms",
        patience="30s",
        answers_size="96m",
        media_size="256m",
        resolver=env.get("GATEWAY_RESOLVER") or "127.0.0.11",
        certificate=certificate,
        certificate_key=key,
        tls_port=int(env.get("HTTPS_PORT") or 443),
        hsts=bool(certificate) and not is_self_signed(Path(certificate)),
        error_level="crit",  # "error" would log twice a second each service that has no replica just now
        figures=figures,
    )


def is_self_signed(certificate: Path) -> bool:
    """Whether its issuer is itself: browsers warn of it, and must not be bound to it for a year."""
    # No public function of the standard library reads a certificate from a file.
    read = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]
    return bool(read["issuer"] == read["subject"])


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
