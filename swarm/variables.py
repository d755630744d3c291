"""What fills the ${…} of the stack files: images, secrets, live replica counts, options."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from docker.errors import NotFound

from local.data import SERVICES
from swarm import nodes, secrets, state
from swarm.cluster import STACK_LABEL, Cluster
from swarm.options import STAND_IN, Options
from swarm.secrets import USER, Secret
from swarm.shop import SCALABLE, WITH_STANDBY

OWN_REDIS = "/app/valkey-server"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
LOGGED = "django.core.mail.backends.console.EmailBackend"


def make(cluster: Cluster, images: Mapping[str, str]) -> dict[str, str]:
    """Every variable of the stack files. The configurations that they name are there afterwards."""
    newest = secrets.Secrets(cluster).newest()
    return {
        **from_options(cluster.options),
        **from_images(cluster.options, images),
        **from_secrets(cluster.options, newest),
        **signing_keys(cluster, newest),
        **replicas(cluster),
        **databases(cluster, newest),
        "CONFIG_PUBLIC_KEYS": _config(cluster, "public_keys", json.dumps(secrets.public_keys(newest))),
    }


def upper(name: str) -> str:
    return name.upper().replace("-", "_")


def from_options(options: Options) -> dict[str, str]:
    mail = options.mail
    return {
        "STACK": options.stack,
        "DOMAIN": options.domain,
        "HTTP_PORT": str(options.http_port),
        "HTTPS_PORT": str(options.https_port),
        "PUBLIC_URL": options.public_url,
        "AUTH_RATE": str(options.auth_rate),
        "LOG_LEVEL": options.log_level,
        "SHOP_LOCALE": options.locale,
        "DEMO": "1" if options.demo else "0",
        "PROXIES": options.proxies,
        "AZURE_CONTAINER": options.blob_container,
        "MEDIA_URL": media_url(options),
        "EMAIL_BACKEND": SMTP if mail.host else LOGGED,
        "EMAIL_HOST": mail.host or "localhost",
        "EMAIL_PORT": str(mail.port),
        "EMAIL_HOST_USER": mail.user,
        "EMAIL_USE_TLS": "true" if mail.starttls else "false",
        "DEFAULT_FROM_EMAIL": mail.sender,
    }


def media_url(options: Options) -> str:
    """Where the gateway finds the public pictures; no secret is in it."""
    if not options.blob_store:
        return f"http://azurite:10000/hivemart/{options.blob_container}"
    known = dict(part.split("=", 1) for part in options.blob_store.split(";") if "=" in part)
    protocol = known.get("DefaultEndpointsProtocol", "https")
    suffix = known.get("EndpointSuffix", "core.windows.net")
    endpoint = known.get("BlobEndpoint") or f"{protocol}://{known.get('AccountName', '')}.blob.{suffix}"
    return f"{urlsplit(endpoint)._replace(query='').geturl().rstrip('/')}/{options.blob_container}"


def from_images(options: Options, images: Mapping[str, str]) -> dict[str, str]:
    own_couch = options.couchdb_image == STAND_IN
    redis = options.redis_image or images["valkey"]
    return {
        **{f"{upper(name)}_IMAGE": images[name] for name in images},
        "COUCHDB_IMAGE": images["couch"] if own_couch else options.couchdb_image,
        "REDIS_IMAGE": redis,
        "REDIS_COMMAND": f"{'redis-server' if options.redis_image else OWN_REDIS} /run/secrets/redis.conf",
        "AZURITE_IMAGE": options.azurite_image or images["azurite"],
    }


def from_secrets(options: Options, newest: Mapping[str, Secret]) -> dict[str, str]:
    """Return the names of the versions in force; Azurite's connection string where there is no other."""
    store = newest["azure_connection" if options.blob_store else "azurite_connection"]
    named = {f"SECRET_{upper(name)}": secret.docker_name for name, secret in newest.items()}
    return named | {"SECRET_AZURE_CONNECTION": store.docker_name}


def signing_keys(cluster: Cluster, newest: Mapping[str, Secret]) -> dict[str, str]:
    """Return the key that signs and the other one: the spare, or the old or new one while they are rotated.

    They are never the same secret: Docker's client puts those in any order, and a deploy would roll for
    nothing.
    """
    calm = {"first": "auth_signing_keys", "other": "auth_spare_signing_key"}
    phase = state.read(cluster).get("signing") or {
        place: newest[name].docker_name for place, name in calm.items()
    }
    return {"SECRET_AUTH_SIGNING_KEYS": phase["first"], "SECRET_AUTH_SIGNING_KEYS_OTHER": phase["other"]}


def replicas(cluster: Cluster) -> dict[str, str]:
    """Return the live counts, which the stack files must not reset; what is not there yet starts with one."""
    live = cluster.services()
    several = nodes.has_several_nodes(cluster)
    first = {"inner": 2 if several else 1}
    counts = {name: _count(live.get(name), first.get(name, 1)) for name in SCALABLE}
    counts |= {f"{name}-couch": _count(live.get(f"{name}-couch"), 1) for name in WITH_STANDBY}
    standby = 1 if several else 0
    counts |= {
        f"{name}-standby": max(standby, _count(live.get(f"{name}-standby"), 0)) for name in WITH_STANDBY
    }
    return {f"{upper(name)}_REPLICAS": str(count) for name, count in counts.items()}


def _count(service: Mapping[str, Any] | None, otherwise: int) -> int:
    if service is None:
        return otherwise
    return int(service["Spec"]["Mode"].get("Replicated", {}).get("Replicas", otherwise))


def databases(cluster: Cluster, newest: Mapping[str, Secret]) -> dict[str, str]:
    """Which CouchDB each service writes to, and as whom."""
    found = {}
    leading = state.read(cluster).get("database", {})
    for name in SERVICES:
        found[f"{upper(name)}_DB_HOST"] = leading.get(name, f"{name}-couch")
        found[f"{upper(name)}_DB_USER"] = newest[f"{name}_couch_user"].labels[USER]
    return found


def _config(cluster: Cluster, name: str, content: str) -> str:
    """Return the name of a configuration with this content, made if it is not there: names carry a hash."""
    full = f"{cluster.stack}_{name}_{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    try:
        cluster.docker.configs.get(full)
    except NotFound:
        cluster.docker.configs.create(name=full, data=content.encode(), labels={STACK_LABEL: cluster.stack})
    return full
