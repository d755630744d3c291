"""Icons, drawn in place: no request, and they take the text's colour."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

#: Paths on a 24 x 24 grid, drawn for this shop; strokes, so that they follow the text's colour.
_PATHS = {
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="m20 20-4.2-4.2"/>',
    "cart": '<path d="M3 4h2.2l2.3 11.2h10.4L20 7.5H6.2"/><circle cx="9" cy="19.2" r="1.4"/><circle cx="16.6" cy="19.2" r="1.4"/>',
    "person": '<circle cx="12" cy="8" r="3.8"/><path d="M4.5 20.2c1-3.9 4-5.7 7.5-5.7s6.500 1.800 7.500 5.700"/>',
    "theme": '<circle cx="12" cy="12" r="8.2"/><path d="M12 3.800a8.200 8.200 0 0 1 0 16.400z" fill="currentColor"/>',
    "plus": '<path d="M12 5.500v13M5.500 12h13"/>',
    "minus": '<path d="M5.500 12h13"/>',
    "star": '<path fill="currentColor" d="m12 3.600 2.600 5.300 5.800.8-4.200 4.100 1 5.800-5.200-2.700-5.200 2.700 1-5.800L3.600 9.700l5.800-.8z"/>',
    "check": '<path d="m5 12.500 4.500 4.500L19 7.500"/>',
    "close": '<path d="m6.500 6.500 11 11m0-11-11 11"/>',
    "next": '<path d="m9 5.500 6.500 6.500L9 18.500"/>',
    "filter": '<path d="M4 7h16M7 12h10M10 17h4"/>',
    "truck": '<path d="M2.500 6h11v10h-11zM13.500 9.500h4l3.500 3.500v3h-7.500"/><circle cx="7" cy="17.500" r="1.800"/><circle cx="17" cy="17.500" r="1.800"/>',
    "lock": '<rect x="5" y="10.500" width="14" height="9.500" rx="2"/><path d="M8 10.500V8a4 4 0 0 1 8 0v2.500"/>',
    "return": '<path d="M8 5 4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11H8"/>',
}  # fmt: skip
_ICONS = {
    name: mark_safe(  # noqa: S308 - constants of this file
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{paths}</svg>'
    )
    for name, paths in _PATHS.items()
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "cart" %}`; unknown names fail, so that a typo shows in a test."""
    return _ICONS[name]
