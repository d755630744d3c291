"""Errors that the domain raises."""

from __future__ import annotations


class RuleViolation(Exception):
    """Well-formed request that a rule refuses.

    `type` is the slug of the problem, `detail` a sentence for people.
    """

    def __init__(self, type: str, detail: str) -> None:
        super().__init__(detail)
        self.type = type
        self.detail = detail
