"""What the domain says when a rule is broken."""

from __future__ import annotations


class RuleBroken(Exception):
    """A well-formed request that a rule refuses. `type` is the problem's slug, `detail` a sentence for
    people.
    """

    def __init__(self, type: str, detail: str) -> None:
        super().__init__(detail)
        self.type = type
        self.detail = detail
