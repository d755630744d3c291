"""Template tags: cached includes, icons, addresses of static files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.template.loader import get_template
from django.templatetags.static import static as address_of
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

#: Name -> shapes on a 24 x 24 grid, drawn for this shop; strokes, so that they follow the text's colour.
_SHAPES = json.loads((Path(__file__).resolve().parent.parent / "icons.json").read_text())
_ICONS = {
    name: mark_safe(  # noqa: S308 - a file of this package
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{shapes}</svg>'
    )
    for name, shapes in _SHAPES.items()
}


@register.simple_tag
def cached_include(name: str, model: dict[str, Any]) -> str:
    """Render a template with `item` = the model, once for the life of the model.

    `{% cached_include "shop/parts/card.html" card %}` is only for models that the domain returns again for
    the same input and that hold no data of one shopper.
    """
    html: str = model.get("html") or model.setdefault("html", get_template(name).render({"item": model}))
    return html


@register.simple_tag
def cached_include_each(name: str, models: Sequence[dict[str, Any]]) -> SafeString:
    """Render `cached_include` for each model; a loop in a template would cost more."""
    return mark_safe("".join(cached_include(name, model) for model in models))  # noqa: S308 - templates have escaped it


@register.simple_tag
def icon(name: str) -> SafeString:
    """Render `{% icon "cart" %}` inline; an unknown name fails, so that a typo shows in a test."""
    return _ICONS[name]


@register.simple_tag
@cache
def static(path: str) -> str:
    """Return `{% static "shop/base.css" %}`, cached per file: each page needs eight."""
    return address_of(path)
