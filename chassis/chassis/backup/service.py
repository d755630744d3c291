"""What the service at hand keeps, by its container."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from .extras import Extra


def databases() -> list[str]:
    """Return the databases of `container.COLLECTIONS`."""
    return sorted({collection.database for collection in _container().COLLECTIONS})


def extras() -> Mapping[str, Extra]:
    """Return what `container.BACKUP_EXTRA` makes, if anything: name -> files beside the databases."""
    make = getattr(_container(), "BACKUP_EXTRA", dict)
    found: Mapping[str, Extra] = make()
    return found


def _container() -> Any:
    return importlib.import_module(f"{settings.SERVICE_APP}.container")
