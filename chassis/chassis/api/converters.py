"""Path converters that let only harmless ids into a view: `<id:order>`, `<sku:sku>`.

Importing registers them; chassis.service and chassis.api.views do.
"""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter, get_converters


class IdConverter(StringConverter):
    """The characters of document ids, without the colon that separates their parts.

    Not beginning with a dot or an underscore, which mean something in paths and to CouchDB.
    """

    regex = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"


class SkuConverter(StringConverter):
    regex = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


for _name, _converter in (("id", IdConverter), ("sku", SkuConverter)):
    if _name not in get_converters():
        register_converter(_converter, _name)
