"""A picture on its way from an upload to renditions in the blob store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

#: Widths in pixels of the renditions; a picture is never enlarged.
IMAGE_WIDTHS = (160, 480, 960)


#: Attempts that may fail before a picture is given up.
MAX_STRIKES = 4
#: From an attempt to the next, doubling; longer than one may take, so that no two go on at once.
_FIRST_PAUSE = timedelta(seconds=90)
#: From a look at a store that is away to the next, doubling.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=5)


class ImageStatus(StrEnum):
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rendition:
    """`name` in the blob store; it holds a hash of the bytes, so that it can be cached for ever."""

    name: str
    width: int
    height: int
    format: str = "webp"


@dataclass(slots=True)
class Image:
    """The job's own document. The uploaded bytes are its attachment until the renditions are stored.

    `attempts` are all that there were, `strikes` those that count against the picture: what ended in a way
    that may be its own fault, a worker that was lost included. `reason` says what went wrong the last time.
    """

    id: str
    product_id: str
    alt: str = ""
    status: ImageStatus = ImageStatus.PROCESSING
    reason: str = ""
    renditions: tuple[Rendition, ...] = ()
    attempts: int = 0
    strikes: int = 0
    next_attempt_at: datetime | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.status is ImageStatus.PROCESSING

    def is_due(self, now: datetime) -> bool:
        return self.is_waiting and (self.next_attempt_at is None or self.next_attempt_at <= now)

    def begin_attempt(self, now: datetime) -> bool:
        """Count an attempt before it is made, whatever may become of it; False when none is to be made now.

        A picture whose attempts are used up, as when every worker was lost over it, fails.
        """
        if not self.is_due(now):
            return False
        if self.strikes >= MAX_STRIKES:
            self._give_up(now)
            return False
        self.attempts += 1
        self.strikes += 1
        self.next_attempt_at = now + _FIRST_PAUSE * 2 ** (self.strikes - 1)
        return True

    def wait(self, reason: str, now: datetime) -> None:
        """It was not the picture's fault: the attempt does not count against it."""
        if self.is_waiting:
            self.reason = reason
            self.strikes = max(0, self.strikes - 1)
            waits = min(self.attempts - self.strikes, 10)
            self.next_attempt_at = now + min(_FIRST_WAIT * 2 ** max(0, waits - 1), _LONGEST_WAIT)

    def stumble(self, reason: str, now: datetime) -> None:
        """The attempt failed, and another one may not."""
        if self.is_waiting:
            self.reason = reason
            if self.strikes >= MAX_STRIKES:
                self._give_up(now)

    def _give_up(self, now: datetime) -> None:
        last = self.reason or "The worker ended while it rendered the picture."
        self.fail(f"Given up after {self.strikes} attempts. {last}", now)

    def finish(self, renditions: tuple[Rendition, ...], at: datetime) -> None:
        if self.is_waiting:
            self.status, self.renditions, self.reason = ImageStatus.READY, renditions, ""
            self._end(at)

    def fail(self, reason: str, at: datetime) -> None:
        """`reason` is shown to staff."""
        if self.is_waiting:
            self.status, self.reason = ImageStatus.FAILED, reason
            self._end(at)

    def retry(self) -> None:
        """Once more, as when the trouble was ours."""
        if self.status is ImageStatus.FAILED:
            self.status, self.reason, self.finished_at = ImageStatus.PROCESSING, "", None
            self.attempts, self.strikes, self.next_attempt_at = 0, 0, None
            self.version += 1

    def _end(self, at: datetime) -> None:
        self.finished_at, self.next_attempt_at = at, None
        self.version += 1
