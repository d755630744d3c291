"""The index's fields. Raise `LAYOUT` with any change here or in documents.py: the index is then built
anew.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import tantivy

LAYOUT = 1

#: What each order of results sorts by; all ascending, keys are made for it (documents.sort_keys).
SORT_FIELDS = {
    "price": "by_price",
    "-price": "by_price_desc",
    "newest": "by_newest",
    "rating": "by_rating",
    "popular": "by_popular",
}
TEXT_FIELDS = ("title", "about", "body")
_TERMS = ("kind", "id", "slug", "sku")
_TERM_FACETS = ("brand", "category", "attr")
_NUMBERS = ("price", "stars", "tie", *SORT_FIELDS.values())
_FLAGS = ("in_stock", "on_sale")
_STORED = ("card", "page", "tree")


@cache
def schema() -> Any:
    """Stored parts are bytes that go into answers as they are."""
    builder = tantivy.SchemaBuilder()
    for name in _TERMS:
        builder.add_text_field(name, stored=name == "id", tokenizer_name="raw", index_option="basic")
    for name in _TERM_FACETS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in TEXT_FIELDS:
        builder.add_text_field(name, tokenizer_name="stemmed", index_option="freq")
    builder.add_text_field("words", tokenizer_name="plain", index_option="basic")
    for name in _NUMBERS:
        builder.add_unsigned_field(name, fast=True, indexed=True)
    for name in _FLAGS:
        builder.add_boolean_field(name, indexed=True)
    builder.add_unsigned_field("version", stored=True)
    for name in _STORED:
        builder.add_bytes_field(name, stored=True)
    return builder.build()


def _plain() -> Any:
    tokens = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    return (
        tokens.filter(tantivy.Filter.remove_long(40))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
    )


@cache
def plain_analyzer() -> Any:
    """Words as they are written: for completions and for guessing what was meant."""
    return _plain().build()


@cache
def stemmed_analyzer() -> Any:
    """`Lamps` finds `lamp`."""
    return _plain().filter(tantivy.Filter.stemmer("english")).build()


def open_index(path: str) -> Any:
    """The index in the folder `path`, made when there is none. Raises OSError or ValueError when it is
    broken.
    """
    index = tantivy.Index(schema(), path=path)
    index.register_tokenizer("stemmed", stemmed_analyzer())
    index.register_tokenizer("plain", plain_analyzer())
    return index
