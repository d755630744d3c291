"""Schema of the index.

Raise `LAYOUT` with any change here or in index_documents.py: the index is then rebuilt.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import tantivy

LAYOUT = 1

#: Field of each sort order; all ascending, see index_documents.build_sort_keys.
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
    """Return the schema; stored fields are bytes that go into responses as they are."""
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
    """Return the analyzer of unstemmed words, for completions and corrected spellings."""
    return _plain().build()


@cache
def stemmed_analyzer() -> Any:
    """Return the analyzer with which `Lamps` finds `lamp`."""
    return _plain().filter(tantivy.Filter.stemmer("english")).build()


def open_index(path: str) -> Any:
    """Open the index in the folder `path`; create a missing one.

    Raises OSError or ValueError for a broken one.
    """
    index = tantivy.Index(schema(), path=path)
    index.register_tokenizer("stemmed", stemmed_analyzer())
    index.register_tokenizer("plain", plain_analyzer())
    return index
