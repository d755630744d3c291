"""What the service at hand keeps, by its wiring."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from .extras import Extra


def databases() -> list[str]:
    """Return the databases of `wiring.COLLECTIONS`."""
    return sorted({collection.database for collection in _wiring().COLLECTIONS})


def extras() -> Mapping[str, Extra]:
    """Return what `wiring.BACKUP_EXTRA` makes, if the service has it: name -> files beside the databases."""
    make = getattr(_wiring(), "BACKUP_EXTRA", dict)
    found: Mapping[str, Extra] = make()
    return found


def _wiring() -> Any:
    return importlib.import_module(f"{settings.SERVICE_APP}.wiring")
