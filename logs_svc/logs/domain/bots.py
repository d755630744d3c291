"""Bot detection: programs that name themselves, and visitors who do more than a person can.

Events of bots are counted separately and are not stored.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: User agents of crawlers, link previews and monitors. Libraries (curl, python-requests) are not among them,
#: as the API is for programs too.
KNOWN_BOTS = (
    r"(?<!cu)bot\b|bots?/|crawl|spider|slurp|archiver|facebookexternalhit|embedly|preview|lighthouse|pingdom|uptime|"
    r"statuscake|site24x7|gtmetrix|semrush|ahrefs|mediapartners|feedfetcher|headless(?!chrome)|phantomjs|"
    r"scrapy|gptbot|ccbot|bytespider|perplexity|petalbot|dataprovider|screaming frog"
)
_KNOWN_BOTS = re.compile(KNOWN_BOTS, re.IGNORECASE)

_MAX_VISITORS = 50_000  # in a process; the least recently seen are evicted
_MAX_ACTIONS = 400  # distinct actions counted per visitor

Clock = Callable[[], float]


def is_known_bot(agent: str) -> bool:
    """Return True if a user agent names itself a bot."""
    return bool(agent) and _KNOWN_BOTS.search(agent[:512]) is not None


@dataclass(slots=True)
class _Visitor:
    left: float
    at: float
    day: int
    today: int = 0
    actions: dict[tuple[str, str], int] = field(default_factory=dict)


class BotDetector:
    """Rate limits per visitor, held in this process, that separate people from bots.

    A visitor may send `burst` events at once, `rate` a second in the long run, `daily` a day, and the same
    event about the same product `repeats` times a day. A page of the shop sends some 50 events, and nobody
    reads more than a page or two a second.
    """

    def __init__(
        self, clock: Clock, *, rate: float = 2.0, burst: int = 600, daily: int = 5000, repeats: int = 50
    ) -> None:
        self._clock, self._rate, self._burst = clock, rate, burst
        self._daily, self._repeats = daily, repeats
        self._visitors: OrderedDict[str, _Visitor] = OrderedDict()
        self._lock = threading.Lock()

    def classify(self, visitor: str, actions: Sequence[tuple[str, str | None]]) -> list[str]:
        """Return for each (type, product) "" for a person's event, else the reason to exclude it."""
        now = self._clock()
        with self._lock:
            known = self._visitor(visitor, now)
            return [self._classify_one(known, type, product) for type, product in actions]

    def _visitor(self, name: str, now: float) -> _Visitor:
        day = int(now // 86_400)
        known = self._visitors.pop(name, None)
        if known is None or known.day != day:
            left = float(self._burst) if known is None else known.left
            known = _Visitor(left, now if known is None else known.at, day)
        known.left = min(float(self._burst), known.left + (now - known.at) * self._rate)
        known.at = now
        self._visitors[name] = known
        if len(self._visitors) > _MAX_VISITORS:
            self._visitors.popitem(last=False)
        return known

    def _classify_one(self, visitor: _Visitor, type: str, product: str | None) -> str:
        if visitor.left < 1 or visitor.today >= self._daily:
            return "too many"
        visitor.left -= 1
        visitor.today += 1
        if product is None:
            return ""
        action = (type, product)
        times = visitor.actions.get(action, 0) + 1
        if times > self._repeats:
            return "repeats"
        if times > 1 or len(visitor.actions) < _MAX_ACTIONS:
            visitor.actions[action] = times
        return ""
