"""A browser's session and the account that signed in within it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Tie:
    """The id is the session's. `accounts` are those that signed in, in that order; `seen` is when one did
    last.

    What a session did before anybody signed in belongs to its account, as long as there is one account only.
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
        """Whose session it is; nobody's when several signed in, as in a library."""
        return self.accounts[0] if len(self.accounts) == 1 else None
