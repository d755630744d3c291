"""Path converters that let only harmless ids into a view: `<id:order>`, `<sku:sku>`. Importing registers them."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter, get_converters


class IdConverter(StringConverter):
    """What document ids are made of (platform.md), without the colon that separates their parts."""

    regex = r"[A-Za-z0-9_.-]{1,128}"


class SkuConverter(StringConverter):
    regex = r"[A-Za-z0-9_.-]{1,64}"


for _name, _converter in (("id", IdConverter), ("sku", SkuConverter)):
    if _name not in get_converters():
        register_converter(_converter, _name)
