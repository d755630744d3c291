"""What Django and REST framework are told, the same in every service; nothing is from the environment."""

from __future__ import annotations

from typing import Any


def django(app: str, admin: bool) -> dict[str, Any]:
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
        "chassis.observability.middleware.RequestIdMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.common.CommonMiddleware",
        "chassis.admin.csrf.SameOriginMiddleware",
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
        processors += ["chassis.admin.csrf.no_csrf_token", "chassis.stand_ins.demo"]
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": processors},
    }


def rest(service: str) -> dict[str, Any]:
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
