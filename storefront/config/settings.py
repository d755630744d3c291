"""Settings of the storefront: the shared base without admin and stores, and the settings of pages."""

from pathlib import Path

from chassis.env import env
from chassis.settings import base

ROOT = Path(__file__).resolve().parent.parent
globals().update(base(service="storefront", app="shop", root=ROOT, admin=False))

SHOP_LOCALE = env(
    "SHOP_LOCALE", str, "en-IE", "how the pages write prices: a language, or a language and a country"
)

AB_CONTROL_PERCENT = env(
    "AB_CONTROL_PERCENT",
    int,
    0,
    "percent of the shoppers who get trending things in place of a personal shelf, to compare the two",
)

#: Pages only: no REST framework and no OpenAPI.
INSTALLED_APPS = ["django.contrib.staticfiles", "chassis", "shop"]
DATABASES: dict[str, object] = {}
MIDDLEWARE = [
    "chassis.observability.middleware.RequestIdMiddleware",
    "shop.middleware.PageHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chassis.admin.csrf.SameOriginMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "shop" / "templates"],
        "OPTIONS": {
            # Read once, also with DEBUG: a list page has a budget of 6 ms.
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader"],
                )
            ],
            "builtins": ["shop.templatetags.shop"],
        },
    }
]
STATIC_URL = "/static/"
#: Long enough for one visit; names have no hash unless `collectstatic` has run.
WHITENOISE_MAX_AGE = 600
#: Pages take forms, never files.
DATA_UPLOAD_MAX_MEMORY_SIZE = 128 * 1024
