"""What is wrong just now, said once when it begins and once when it is over."""

from __future__ import annotations

import logging

log = logging.getLogger("autoscale")


class Faults:
    def __init__(self) -> None:
        self.now: dict[str, str] = {}

    def say(self, what: str, fault: str) -> None:
        """`fault` is a sentence, or "" when `what` is well (again)."""
        before = self.now.get(what, "")
        if fault:
            self.now[what] = fault
            if not before:
                log.warning("%s: %s", what, fault)
        elif before:
            del self.now[what]
            log.warning("%s: well again", what)

    def only(self, start: str, known: set[str]) -> None:
        """Forget faults that begin so and are of nothing `known`: what is gone is not wrong any more."""
        for what in [what for what in self.now if what.startswith(start) and what not in known]:
            del self.now[what]
