"""Django's dummy backend, made able to open and close transactions that hold nothing."""

from __future__ import annotations

from typing import Any

from django.db.backends.dummy import base as dummy


def nothing(*args: Any, **kwargs: Any) -> None:
    """Do nothing: there is no connection."""


class DatabaseWrapper(dummy.DatabaseWrapper):
    """`atomic()`, `on_commit()` and closing work; a cursor is still refused by the dummy's `_cursor`."""

    vendor = "nodb"
    display_name = "no database"

    ensure_connection = nothing
    connect = nothing
    _commit = nothing
    _savepoint_commit = nothing
    _set_autocommit = nothing

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Without a connection Django leaves this False, and `on_commit` hooks would wait for ever.
        self.autocommit = True
