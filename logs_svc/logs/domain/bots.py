"""Who is no shopper: programs that say so by their name, and visitors who do more than a person can.

What they tell is counted apart and not kept.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: Names that crawlers, link previews and monitors give themselves. Libraries (curl, python-requests) are not
#: among them: the API is for programs too.
KNOWN = (
    r"(?<!cu)bot\b|bots?/|crawl|spider|slurp|archiver|facebookexternalhit|embedly|preview|lighthouse|pingdom|uptime|"
    r"statuscake|site24x7|gtmetrix|semrush|ahrefs|mediapartners|feedfetcher|headless(?!chrome)|phantomjs|"
    r"scrapy|gptbot|ccbot|bytespider|perplexity|petalbot|dataprovider|screaming frog"
)
_KNOWN = re.compile(KNOWN, re.IGNORECASE)

_MOST_VISITORS = 50_000  # remembered in a process before the longest unseen are forgotten
_MOST_THINGS = 400  # different things of one visitor that are counted

Clock = Callable[[], float]


def known_bot(agent: str) -> bool:
    """Whether a program says of itself that it is one."""
    return bool(agent) and _KNOWN.search(agent[:512]) is not None


@dataclass(slots=True)
class _Visitor:
    left: float
    at: float
    day: int
    today: int = 0
    things: dict[tuple[str, str], int] = field(default_factory=dict)


class Bots:
    """Judges events by how much their visitor tells, in this process: `burst` at once, `rate` a second in the
    long run, `daily` a day, and the same thing of the same product `repeats` times a day.

    A page of a shop tells some 50 events, and nobody reads more than a page or two a second.
    """

    def __init__(
        self, clock: Clock, *, rate: float = 2.0, burst: int = 600, daily: int = 5000, repeats: int = 50
    ) -> None:
        self._clock, self._rate, self._burst = clock, rate, burst
        self._daily, self._repeats = daily, repeats
        self._visitors: OrderedDict[str, _Visitor] = OrderedDict()
        self._lock = threading.Lock()

    def judge(self, visitor: str, things: Sequence[tuple[str, str | None]]) -> list[str]:
        """For each (type, product): "" for a shopper's, else why it is counted apart."""
        now = self._clock()
        with self._lock:
            known = self._visitor(visitor, now)
            return [self._one(known, type, product) for type, product in things]

    def _visitor(self, name: str, now: float) -> _Visitor:
        day = int(now // 86_400)
        known = self._visitors.pop(name, None)
        if known is None or known.day != day:
            left = float(self._burst) if known is None else known.left
            known = _Visitor(left, now if known is None else known.at, day)
        known.left = min(float(self._burst), known.left + (now - known.at) * self._rate)
        known.at = now
        self._visitors[name] = known
        if len(self._visitors) > _MOST_VISITORS:
            self._visitors.popitem(last=False)
        return known

    def _one(self, visitor: _Visitor, type: str, product: str | None) -> str:
        if visitor.left < 1 or visitor.today >= self._daily:
            return "too many"
        visitor.left -= 1
        visitor.today += 1
        if product is None:
            return ""
        thing = (type, product)
        times = visitor.things.get(thing, 0) + 1
        if times > self._repeats:
            return "repeats"
        if times > 1 or len(visitor.things) < _MOST_THINGS:
            visitor.things[thing] = times
        return ""
