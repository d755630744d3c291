"""Content types from the app registry: Django's admin asks for them, and there is no table to ask."""

from __future__ import annotations

import zlib

from django.contrib.contenttypes.models import ContentType
from django.db import models


def remember(model: type[models.Model]) -> None:
    """Put the model's content type into Django's cache, from where it is always answered."""
    options = model._meta
    known = ContentType(
        pk=zlib.crc32(options.label_lower.encode()), app_label=options.app_label, model=options.model_name
    )
    known._state.adding = False
    ContentType.objects._add_to_cache("default", known)
