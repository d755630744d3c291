"""Helpers that read pages: text as a shopper sees it, forms as a browser sends them."""

from __future__ import annotations

import html
import re

from django.http import HttpResponse


def words(response: HttpResponse) -> str:
    """Return the page's text without tags, on one line."""
    text = re.sub(r"(?s)<(script|svg|head).*?</\1>", " ", response.content.decode())
    text = re.sub(r"<[^>]+>", " ", text)
    return re.sub(r"\s+", " ", html.unescape(text)).strip()


def field(response: HttpResponse, name: str) -> str:
    """Return the value of the input with this name."""
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', response.content.decode())
    assert tag, f"no field {name}"
    value = re.search(r'value="([^"]*)"', tag.group())
    return html.unescape(value.group(1)) if value else ""


def heading(response: HttpResponse) -> str:
    found = re.search(r"(?s)<h1[^>]*>(.*?)</h1>", response.content.decode())
    assert found, "no h1"
    return html.unescape(re.sub(r"<[^>]+>", "", found.group(1))).strip()
