"""The base settings of every service, from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chassis import frameworks
from chassis.env import BadSetting, env, is_set

#: Good for a laptop only; production refuses to start with it.
LOCAL_SECRET_KEY = "local-only-not-a-secret-local-only-not-a-secret"  # noqa: S105 - refused in production

#: Nobody gets a mail of these, and nothing says so. The console's are in the log, which `make status` says.
MAIL_KEPT = frozenset(
    f"django.core.mail.backends.{name}.EmailBackend" for name in ("dummy", "filebased", "locmem")
)

#: These keep nothing in CouchDB.
STORELESS = ("storefront", "autoscale")


def base(*, service: str, app: str, root: Path, admin: bool = True) -> dict[str, Any]:
    """All Django settings of one service; `config/settings.py` does `globals().update(base(...))`.

    `service` is the name in URLs ("catalog"), `app` the package of its Django app, `root` the service's
    folder. Without `admin` (the storefront) neither Django's admin nor its tables of users are installed.
    """
    values: dict[str, Any] = {"SERVICE": service, "SERVICE_APP": app, "SERVICE_ROOT": root, "BASE_DIR": root}
    for part in (_core, _stores, _identity, _mail, _web, _logging):
        values |= part(service, root, admin, values)
    values |= frameworks.django(app, admin) | frameworks.rest(service)
    _refuse_unsafe(values)
    return values


def environment(text: str) -> str:
    """ValueError for another word: `prod` must not run as if it were a laptop."""
    if text not in ("local", "test", "production"):
        raise ValueError(text)
    return text


def _core(service: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "HIVEMART_ENV": env(
            "HIVEMART_ENV",
            environment,
            "local",
            "`local`, `test` or `production`; production refuses unsafe values",
        ),
        "DEMO": env(
            "DEMO",
            bool,
            False,
            "`1`: a demo: test cards pay and every page says so; without it orders need a payment provider",
        ),
        "DEBUG": env("DEBUG", bool, False, "Django's debug pages; refused in production"),
        "SECRET_KEY": env(
            "SECRET_KEY", str, LOCAL_SECRET_KEY, "Django's signing key, one per service", secret=True
        ),
        "ALLOWED_HOSTS": env(
            "ALLOWED_HOSTS", list, ["*"], "host names that are answered; `*` is refused in production"
        ),
        "PUBLIC_URL": env(
            "PUBLIC_URL",
            str,
            "http://localhost:8000",
            "the shop's address as browsers see it; https turns Secure cookies on",
        ).rstrip("/"),
        "GATEWAY_URL": env(
            "GATEWAY_URL",
            str,
            "http://127.0.0.1:8001",
            "the gateway's inner listener, for calls between services",
        ).rstrip("/"),
        "DATA_DIR": env(
            "DATA_DIR",
            Path,
            root.parent / "var" / service,
            "folder for what a process may keep between starts (read models, last good keys)",
        ),
    }


def _stores(service: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "COUCHDB_URL": _with_password(
            env(
                "COUCHDB_URL",
                str,
                "memory:",
                "CouchDB's URL with user and password; `memory:` is an in-memory twin for tests",
                secret=True,
            ),
            env("COUCHDB_PASSWORD", str, "", "the password of the user in `COUCHDB_URL`", secret=True),
        ),
        "COUCHDB_ADMIN_URL": _with_password(
            env(
                "COUCHDB_ADMIN_URL",
                str,
                "",
                "the same server as its administrator, for `prepare`, `backup`, `restore` and `standby`",
                secret=True,
            ),
            env(
                "COUCHDB_ADMIN_PASSWORD",
                str,
                "",
                "the password of the user in `COUCHDB_ADMIN_URL`",
                secret=True,
            ),
        ),
        "COUCHDB_PREFIX": env(
            "COUCHDB_PREFIX", str, "", "put before each database name, so that test runs can share a server"
        ),
        "COUCHDB_TIMEOUT": env("COUCHDB_TIMEOUT", float, 10.0, "seconds to wait for an answer of CouchDB"),
        "COUCHDB_POOL": env(
            "COUCHDB_POOL",
            int,
            16,
            "connections kept to CouchDB per process; at least the threads of a worker",
        ),
        "COUCHDB_QUEUE": env(
            "COUCHDB_QUEUE",
            int,
            4,
            "threads of a process that wait to change one document; the next are soon told to come back",
        ),
        "REDIS_URL": _with_password(
            env(
                "REDIS_URL",
                str,
                "redis://127.0.0.1:6379/0",
                "Redis or Valkey, for jobs and throttles",
                secret=True,
            ),
            env("REDIS_PASSWORD", str, "", "the password of the Redis in `REDIS_URL`", secret=True),
        ),
    }


def _with_password(url: str, password: str) -> str:
    """Return the URL with this password after its user (Redis has none); as it was without a password."""
    if not password or "://" not in url:
        return url
    scheme, rest = url.split("://", 1)
    before, at, host = rest.rpartition("@")
    user = before.partition(":")[0] if at else ""
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}"


def _identity(service: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "SERVICE_PRIVATE_KEY": env(
            "SERVICE_PRIVATE_KEY",
            str,
            "",
            "this service's own Ed25519 key, 32 raw bytes in base64",
            secret=True,
        ),
        "SERVICE_PUBLIC_KEYS": env(
            "SERVICE_PUBLIC_KEYS", dict, {}, "public Ed25519 keys of the services, JSON `{service: base64}`"
        ),
    }


def _mail(service: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "EMAIL_BACKEND": env(
            "EMAIL_BACKEND",
            str,
            "django.core.mail.backends.console.EmailBackend",
            "Django's mail backend; what keeps mails in a folder or in memory is refused in production",
        ),
        "EMAIL_FILE_PATH": env("EMAIL_FILE_PATH", str, "", "folder of the file backend, one file per mail")
        or None,
        "EMAIL_HOST": env("EMAIL_HOST", str, "localhost", "SMTP server"),
        "EMAIL_PORT": env("EMAIL_PORT", int, 25, "SMTP port"),
        "EMAIL_HOST_USER": env("EMAIL_HOST_USER", str, "", "SMTP user"),
        "EMAIL_HOST_PASSWORD": env("EMAIL_HOST_PASSWORD", str, "", "SMTP password", secret=True),
        "EMAIL_USE_TLS": env("EMAIL_USE_TLS", bool, False, "STARTTLS to the SMTP server"),
        "EMAIL_TIMEOUT": env("EMAIL_TIMEOUT", int, 10, "seconds to wait for the SMTP server"),
        "DEFAULT_FROM_EMAIL": env(
            "DEFAULT_FROM_EMAIL", str, "Hivemart <shop@hivemart.example>", "sender of the shop's mails"
        ),
    }


def _web(service: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    prefix = f"/admin/{service}" if admin else ""
    secure = values["PUBLIC_URL"].startswith("https://")
    static_root = env(
        "STATIC_ROOT",
        str,
        "",
        "folder filled by `manage.py collectstatic` in images; empty: files are served from the packages",
    )
    storage = (
        "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if static_root
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    return {
        "STATIC_URL": f"{prefix}/static/",
        "STATIC_ROOT": static_root or None,
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "staticfiles": {"BACKEND": storage},
        },
        "WHITENOISE_USE_FINDERS": not static_root,
        "MEDIA_URL": env(
            "MEDIA_URL",
            str,
            "/media/",
            "where browsers find product pictures: the gateway's `/media/` or a CDN's domain",
        ),
        "ADMIN_SITES": env(
            "ADMIN_SITES",
            list,
            ["catalog", "checkout", "cart", "auth", "logs", "reco", "autoscale"],
            "services whose admins run here: no page links to another",
        ),
        "COOKIES_SECURE": secure,
        "MESSAGE_STORAGE": "django.contrib.messages.storage.cookie.CookieStorage",
        # Django's message cookie takes Secure and path from the session's settings; there is no session
        # store.
        "SESSION_COOKIE_NAME": f"session_{service}",
        "SESSION_COOKIE_PATH": f"{prefix}/",
        "SESSION_COOKIE_SECURE": secure,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SECURE_HSTS_SECONDS": 31_536_000 if secure and values["HIVEMART_ENV"] == "production" else 0,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": env(
            "BODY_LIMIT", int, 8 * 1024 * 1024, "largest request body in bytes"
        ),
    }


def _logging(service: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    from chassis.observability import logs

    level = env("LOG_LEVEL", str, "INFO", "least severe level that is logged")
    return {"LOGGING": logs.config(service, level)}


def refuse_in_production(values: Mapping[str, Any], faults: Iterable[tuple[str, object]]) -> None:
    """BadSetting with each sentence whose fault is true, where HIVEMART_ENV is `production`."""
    found = [text for text, wrong in faults if wrong]
    if found and values["HIVEMART_ENV"] == "production":
        raise BadSetting("not fit for production: " + "; ".join(found))


def _refuse_unsafe(values: dict[str, Any]) -> None:
    """Production starts with nothing that stands in for the real thing on a laptop or in a test."""
    with_stores = values["SERVICE"] not in STORELESS
    faults = [
        ("DEBUG is on", values["DEBUG"]),
        (
            "SECRET_KEY is the default or shorter than 32 characters",
            values["SECRET_KEY"] == LOCAL_SECRET_KEY or len(values["SECRET_KEY"]) < 32,
        ),
        ("ALLOWED_HOSTS contains *", "*" in values["ALLOWED_HOSTS"]),
        ("SERVICE_PRIVATE_KEY is not set", not values["SERVICE_PRIVATE_KEY"]),
        ("COUCHDB_URL is memory:", values["COUCHDB_URL"] == "memory:" and with_stores),
        ("REDIS_URL is not set", not is_set("REDIS_URL") and with_stores),
        ("PUBLIC_URL is not set", not is_set("PUBLIC_URL")),
        ("EMAIL_BACKEND keeps mails to itself", values["EMAIL_BACKEND"] in MAIL_KEPT),
        ("FAILPOINT is set", "FAILPOINT" in os.environ),
    ]
    refuse_in_production(values, faults)
