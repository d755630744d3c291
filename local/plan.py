"""Where everything is for one run, and what settings the processes get."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import ports
from local.data import SERVICES, SIGNERS, public_keys
from local.options import Options

ACCOUNT, CONTAINER = "hivemart", "media"
WEBS = (*SERVICES, "storefront")
FOLDERS = {name: f"{name}_svc" for name in SERVICES} | {"storefront": "storefront"}
WITH_PORT = ("inner", "health", "mailbox", "couch", "valkey", "azurite", *WEBS)


@dataclass(frozen=True)
class Plan:
    """Where everything is for one run, and the settings of its processes."""

    options: Options
    secrets: Mapping[str, Any]
    port: Mapping[str, int]

    @classmethod
    def make(cls, options: Options, secrets: Mapping[str, Any]) -> Plan:
        return cls(options, secrets, dict(zip(WITH_PORT, ports.free(len(WITH_PORT)), strict=True)))

    @property
    def data(self) -> Path:
        return self.options.data

    @property
    def hold_file(self) -> Path:
        """While this file exists, /healthz says "degraded" at best."""
        return self.data / "gateway" / "hold"

    @property
    def inner_url(self) -> str:
        return f"http://127.0.0.1:{self.port['inner']}"

    @property
    def couchdb_url(self) -> str:
        own = f"http://admin:{self.secrets['couch']}@127.0.0.1:{self.port['couch']}"
        return self.options.couchdb_url or own

    @property
    def redis_url(self) -> str:
        return (
            self.options.redis_url or f"redis://:{self.secrets['valkey']}@127.0.0.1:{self.port['valkey']}/0"
        )

    @property
    def blob_store(self) -> str:
        return self.options.blob_store or (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.secrets['azurite']};"
            f"BlobEndpoint=http://127.0.0.1:{self.port['azurite']}/{ACCOUNT};"
        )

    @property
    def media_url(self) -> str:
        """Where the gateway finds the public pictures."""
        known = dict(part.split("=", 1) for part in self.blob_store.split(";") if "=" in part)
        protocol = known.get("DefaultEndpointsProtocol", "https")
        suffix = known.get("EndpointSuffix", "core.windows.net")
        endpoint = known.get("BlobEndpoint") or f"{protocol}://{known.get('AccountName', '')}.blob.{suffix}"
        return f"{endpoint.rstrip('/')}/{CONTAINER}"

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self.port[name]}"


def common_env() -> dict[str, str]:
    """Return the environment of every process: this shell's, and thrift with memory and threads."""
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # glibc keeps an arena per thread otherwise
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def service_env(plan: Plan, name: str) -> dict[str, str]:
    """Return the settings of one service (docs/settings.md says what each means)."""
    own = plan.secrets["services"][name]
    any_host = plan.options.host != "localhost"
    return common_env() | {
        "HIVEMART_ENV": "local",
        "DEMO": os.environ.get("DEMO", "1"),  # who runs a shop here has no payment provider yet
        "SECRET_KEY": own["secret_key"],
        "SERVICE_PRIVATE_KEY": own["private_key"],
        "SERVICE_PUBLIC_KEYS": json.dumps(public_keys(plan.secrets["services"], SIGNERS)),
        "ALLOWED_HOSTS": "*" if any_host else "localhost,127.0.0.1,[::1]",
        "PUBLIC_URL": plan.options.url,
        "GATEWAY_URL": plan.inner_url,
        "ADMIN_SITES": ",".join(SERVICES),
        "DATA_DIR": str(plan.data / name),
        "COUCHDB_URL": plan.couchdb_url,
        "REDIS_URL": plan.redis_url,
        "AZURE_STORAGE_CONNECTION_STRING": plan.blob_store,
        "AZURE_CONTAINER": CONTAINER,
        "EMAIL_BACKEND": os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend"),
        "EMAIL_FILE_PATH": str(plan.data / "mail"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
