"""Sets Django up for the tests of one service, without any environment."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

_DEFAULTS = {
    "HIVEMART_ENV": "test",
    "COUCHDB_URL": "memory:",
    "DEMO": "1",
    "SECRET_KEY": "test-only-test-only-test-only-test-only",
    "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "LOG_LEVEL": "WARNING",
    "GATEWAY_URL": "http://gateway.invalid",  # a unit test that reaches the network fails at once
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def setup(conftest: str) -> None:
    """Set path, settings and environment, and call `django.setup()`.

    Call it from a service's `tests/conftest.py` with `__file__`.
    """
    root = Path(conftest).resolve().parent.parent
    sys.path.insert(0, str(root))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix=f"{root.name}-"))
    import django

    django.setup()

    from chassis.testing import identity

    identity.install()  # known keys: a test signs its own tokens, nothing is fetched
    from chassis.testing import identity

    identity.install()
