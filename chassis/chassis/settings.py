"""The base settings. Every environment variable of the suite is declared once, here or in a service's
`config/settings.py`.

`docs/settings.md` is generated from these declarations by `manage.py settings_docs`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")

#: Good for a laptop only; production refuses to start with it.
LOCAL_SECRET_KEY = "local-only-not-a-secret-local-only-not-a-secret"  # noqa: S105 - refused in production

#: These keep nothing in CouchDB.
STORELESS = ("storefront", "autoscale")


class BadSetting(Exception):
    """An environment variable cannot be understood, or is not allowed in production."""


@dataclass(frozen=True)
class Var:
    """One environment variable. `NAME_FILE`, a path whose file holds the value, is accepted for each; for a
    list several of them, with colons between.
    """

    name: str
    type: Callable[[str], Any]
    default: Any
    meaning: str
    secret: bool = False


VARIABLES: dict[str, Var] = {}


def declare(name: str, type: Callable[..., T], default: T, meaning: str, secret: bool = False) -> T:
    """The value of the variable `name`, read from the environment now and kept for `docs/settings.md`.

    `type` is `str`, `int`, `float`, `bool`, `Path`, `list` (comma separated), `dict` (JSON) or any parser
    of a string. Raises `BadSetting` when the text cannot be parsed.
    """
    VARIABLES[name] = Var(name, type, default, meaning, secret)
    text = _raw(name)
    if text is None:
        return default
    try:
        parse: Callable[[str], T] = _PARSERS.get(type, type)
        value = parse(text)
    except (ValueError, TypeError) as error:
        shown = "its value" if secret else repr(text)
        raise BadSetting(f"{name}: {shown} is not a valid {_type_name(type)} ({meaning})") from error
    return value


def _raw(name: str) -> str | None:
    paths = os.environ.get(f"{name}_FILE")
    if paths:
        try:
            return ",".join(Path(path).read_text().strip() for path in paths.split(":"))
        except OSError as error:
            raise BadSetting(f"{name}_FILE: {error}") from error
    return os.environ.get(name)


def _bool(text: str) -> bool:
    value = text.strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError(text)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _dict(text: str) -> dict[str, Any]:
    value = json.loads(text or "{}")
    if not isinstance(value, dict):
        raise ValueError(text)  # noqa: TRY004 - what declare() expects of a parser
    return value


_PARSERS: dict[Any, Callable[[str], Any]] = {bool: _bool, list: _list, dict: _dict}


def _type_name(type: Any) -> str:
    return {list: "list", dict: "JSON object"}.get(type, getattr(type, "__name__", str(type)))


def table() -> str:
    """All declared variables as a Markdown table, sorted by name."""
    lines = ["| variable | type | default | meaning |", "|---|---|---|---|"]
    for var in sorted(VARIABLES.values(), key=lambda v: v.name):
        default = "*(secret)*" if var.secret and var.default else f"`{_shown(var.default)}`"
        lines.append(f"| `{var.name}` | {_type_name(var.type)} | {default} | {var.meaning} |")
    return "\n".join(lines) + "\n"


def _shown(default: Any) -> str:
    if isinstance(default, list):
        return ",".join(default)
    return json.dumps(default) if isinstance(default, dict) else str(default)


def base(*, service: str, app: str, root: Path, admin: bool = True) -> dict[str, Any]:
    """All Django settings of one service; `config/settings.py` does `globals().update(base(...))`.

    `service` is the name in URLs ("catalog"), `app` the package of its Django app, `root` the service's
    folder. Without `admin` (the storefront) neither Django's admin nor its tables of users are installed.
    """
    values: dict[str, Any] = {"SERVICE": service, "SERVICE_APP": app, "SERVICE_ROOT": root, "BASE_DIR": root}
    for part in (_core, _stores, _identity, _mail, _web, _django, _rest, _logging):
        values |= part(service, app, root, admin, values)
    _refuse_unsafe(values)
    return values


def _core(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "HIVEMART_ENV": declare(
            "HIVEMART_ENV", str, "local", "`local`, `test` or `production`; production refuses unsafe values"
        ),
        "DEBUG": declare("DEBUG", bool, False, "Django's debug pages; refused in production"),
        "SECRET_KEY": declare(
            "SECRET_KEY", str, LOCAL_SECRET_KEY, "Django's signing key, one per service", secret=True
        ),
        "ALLOWED_HOSTS": declare(
            "ALLOWED_HOSTS", list, ["*"], "host names that are answered; `*` is refused in production"
        ),
        "PUBLIC_URL": declare(
            "PUBLIC_URL",
            str,
            "http://localhost:8000",
            "the shop's address as browsers see it; https turns Secure cookies on",
        ).rstrip("/"),
        "GATEWAY_URL": declare(
            "GATEWAY_URL",
            str,
            "http://127.0.0.1:8001",
            "the gateway's inner listener, for calls between services",
        ).rstrip("/"),
        "DATA_DIR": declare(
            "DATA_DIR",
            Path,
            root.parent / "var" / service,
            "folder for what a process may keep between starts (read models, last good keys)",
        ),
    }


def _stores(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "COUCHDB_URL": _with_password(
            declare(
                "COUCHDB_URL",
                str,
                "memory:",
                "CouchDB's URL with user and password; `memory:` is an in-memory twin for tests",
                secret=True,
            ),
            declare("COUCHDB_PASSWORD", str, "", "the password of the user in `COUCHDB_URL`", secret=True),
        ),
        "COUCHDB_ADMIN_URL": _with_password(
            declare(
                "COUCHDB_ADMIN_URL",
                str,
                "",
                "the same server as its administrator, for `prepare`, `backup`, `restore` and `standby`",
                secret=True,
            ),
            declare(
                "COUCHDB_ADMIN_PASSWORD",
                str,
                "",
                "the password of the user in `COUCHDB_ADMIN_URL`",
                secret=True,
            ),
        ),
        "COUCHDB_PREFIX": declare(
            "COUCHDB_PREFIX", str, "", "put before each database name, so that test runs can share a server"
        ),
        "COUCHDB_TIMEOUT": declare(
            "COUCHDB_TIMEOUT", float, 10.0, "seconds to wait for an answer of CouchDB"
        ),
        "COUCHDB_POOL": declare(
            "COUCHDB_POOL",
            int,
            16,
            "connections kept to CouchDB per process; at least the threads of a worker",
        ),
        "REDIS_URL": _with_password(
            declare(
                "REDIS_URL",
                str,
                "redis://127.0.0.1:6379/0",
                "Redis or Valkey, for jobs and throttles",
                secret=True,
            ),
            declare("REDIS_PASSWORD", str, "", "the password of the Redis in `REDIS_URL`", secret=True),
        ),
    }


def _with_password(url: str, password: str) -> str:
    """The URL with this password after its user (Redis has none); as it was without a password."""
    if not password or "://" not in url:
        return url
    scheme, rest = url.split("://", 1)
    before, at, host = rest.rpartition("@")
    user = before.partition(":")[0] if at else ""
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}"


def _identity(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "SERVICE_PRIVATE_KEY": declare(
            "SERVICE_PRIVATE_KEY",
            str,
            "",
            "this service's own Ed25519 key, 32 raw bytes in base64",
            secret=True,
        ),
        "SERVICE_PUBLIC_KEYS": declare(
            "SERVICE_PUBLIC_KEYS", dict, {}, "public Ed25519 keys of the services, JSON `{service: base64}`"
        ),
    }


def _mail(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "EMAIL_BACKEND": declare(
            "EMAIL_BACKEND", str, "django.core.mail.backends.console.EmailBackend", "Django's mail backend"
        ),
        "EMAIL_FILE_PATH": declare(
            "EMAIL_FILE_PATH", str, "", "folder of the file backend, one file per mail"
        )
        or None,
        "EMAIL_HOST": declare("EMAIL_HOST", str, "localhost", "SMTP server"),
        "EMAIL_PORT": declare("EMAIL_PORT", int, 25, "SMTP port"),
        "EMAIL_HOST_USER": declare("EMAIL_HOST_USER", str, "", "SMTP user"),
        "EMAIL_HOST_PASSWORD": declare("EMAIL_HOST_PASSWORD", str, "", "SMTP password", secret=True),
        "EMAIL_USE_TLS": declare("EMAIL_USE_TLS", bool, False, "STARTTLS to the SMTP server"),
        "EMAIL_TIMEOUT": declare("EMAIL_TIMEOUT", int, 10, "seconds to wait for the SMTP server"),
        "DEFAULT_FROM_EMAIL": declare(
            "DEFAULT_FROM_EMAIL", str, "Hivemart <shop@hivemart.example>", "sender of the shop's mails"
        ),
    }


def _web(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    prefix = f"/admin/{service}" if admin else ""
    secure = values["PUBLIC_URL"].startswith("https://")
    static_root = declare(
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
        "MEDIA_URL": declare(
            "MEDIA_URL",
            str,
            "/media/",
            "where browsers find product pictures: the gateway's `/media/` or a CDN's domain",
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
        "DATA_UPLOAD_MAX_MEMORY_SIZE": declare(
            "BODY_LIMIT", int, 8 * 1024 * 1024, "largest request body in bytes"
        ),
    }


def _django(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    staff = [
        "chassis.admin",  # before Django's, so that its templates win
        "chassis.admin.config.SuiteAdminConfig",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
    ]
    return {
        "INSTALLED_APPS": [
            *(staff if admin else []),
            "django.contrib.staticfiles",
            "rest_framework",
            "drf_spectacular",
            "drf_spectacular_sidecar",
            "chassis",
            app,
        ],
        "MIDDLEWARE": _middleware(admin),
        "ROOT_URLCONF": "config.urls",
        "WSGI_APPLICATION": "config.wsgi.application",
        **({"AUTH_USER_MODEL": "chassis_admin.StaffUser"} if admin else {}),
        "DATABASES": {"default": {"ENGINE": "chassis.nodb"}},
        "TEMPLATES": [_templates(admin)],
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        # Django's admin checks ask for session middleware; who is signed in comes from the suite's token
        # instead.
        "SILENCED_SYSTEM_CHECKS": ["admin.E408", "admin.E410"],
        "LOGIN_URL": "/admin/auth/login/",
        "APPEND_SLASH": False,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "USE_I18N": False,
        "LANGUAGE_CODE": "en",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    }


def _middleware(admin: bool) -> list[str]:
    return [
        "chassis.observe.middleware.RequestIdMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.common.CommonMiddleware",
        "chassis.admin.origin.SameOriginMiddleware",
        *(["django.contrib.messages.middleware.MessageMiddleware"] if admin else []),
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]


def _templates(admin: bool) -> dict[str, Any]:
    processors = ["django.template.context_processors.request"]
    if admin:
        processors += [
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]
        processors += ["chassis.admin.origin.no_csrf_token"]
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": processors},
    }


def _rest(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "REST_FRAMEWORK": {
            # Default deny: a view that names no permission answers 403.
            "DEFAULT_PERMISSION_CLASSES": ["chassis.identity.permissions.DenyAll"],
            "DEFAULT_AUTHENTICATION_CLASSES": ["chassis.identity.authentication.TokenAuthentication"],
            "UNAUTHENTICATED_USER": "chassis.identity.principal.anonymous",
            "UNAUTHENTICATED_TOKEN": None,
            "EXCEPTION_HANDLER": "chassis.api.errors.exception_handler",
            "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
            "DEFAULT_RENDERER_CLASSES": ["chassis.api.json.JSONRenderer"],
            "DEFAULT_PARSER_CLASSES": ["chassis.api.json.JSONParser"],
            "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chassis.api.negotiation.Negotiation",
            "TEST_REQUEST_DEFAULT_FORMAT": "json",
            "URL_FORMAT_OVERRIDE": None,
        },
        "SPECTACULAR_SETTINGS": {
            "TITLE": f"Hivemart {service}",
            "VERSION": "1.0.0",
            "SERVE_INCLUDE_SCHEMA": False,
            "SERVE_PERMISSIONS": ["chassis.identity.permissions.Public"],
            "SCHEMA_PATH_PREFIX": f"/api/{service}",
            "COMPONENT_SPLIT_REQUEST": True,
            "PREPROCESSING_HOOKS": ["chassis.api.schema.public_only"],
            "GET_LIB_DOC_EXCLUDES": "chassis.api.schema.without_docs",
            "POSTPROCESSING_HOOKS": [
                "drf_spectacular.hooks.postprocess_schema_enums",
                "chassis.api.schema.document_problems",
            ],
            "SWAGGER_UI_DIST": "SIDECAR",
            "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
            "REDOC_DIST": "SIDECAR",
        },
    }


def _logging(service: str, app: str, root: Path, admin: bool, values: dict[str, Any]) -> dict[str, Any]:
    from chassis.observe import logs

    level = declare("LOG_LEVEL", str, "INFO", "least severe level that is logged")
    return {"LOGGING": logs.config(service, level)}


def _refuse_unsafe(values: dict[str, Any]) -> None:
    """Production starts neither with DEBUG, nor a default key, nor `*` as host (security.md, 10)."""
    if values["HIVEMART_ENV"] != "production":
        return
    faults = [
        ("DEBUG is on", values["DEBUG"]),
        (
            "SECRET_KEY is the default or shorter than 32 characters",
            values["SECRET_KEY"] == LOCAL_SECRET_KEY or len(values["SECRET_KEY"]) < 32,
        ),
        ("ALLOWED_HOSTS contains *", "*" in values["ALLOWED_HOSTS"]),
        ("SERVICE_PRIVATE_KEY is not set", not values["SERVICE_PRIVATE_KEY"]),
        ("COUCHDB_URL is memory:", values["COUCHDB_URL"] == "memory:" and values["SERVICE"] not in STORELESS),
    ]
    found = [text for text, wrong in faults if wrong]
    if found:
        raise BadSetting("not fit for production: " + "; ".join(found))
