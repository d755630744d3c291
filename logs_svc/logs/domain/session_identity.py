"""The accounts that signed in within a browser's session."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class SessionIdentity:
    """A session with the accounts that signed in within it; the id is the session's.

    `accounts` are in the order of their first sign-in; `seen` is the time of the latest one. Events of a
    session before any sign-in belong to its account, as long as there is only one.
    """

    id: str
    accounts: list[str] = field(default_factory=list)
    seen: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def add(self, account: str, at: datetime) -> None:
        if account not in self.accounts:
            self.accounts.append(account)
            self.version += 1
        self.seen = at

    @property
    def owner(self) -> str | None:
        """The only account of the session; None if several signed in, as in a library."""
        return self.accounts[0] if len(self.accounts) == 1 else None
