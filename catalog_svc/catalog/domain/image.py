"""Uploaded image on its way to renditions in the blob store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

#: Widths of the renditions in pixels; an image is never enlarged.
IMAGE_WIDTHS = (160, 480, 960)


#: Attempts that may fail before an image is given up.
MAX_STRIKES = 4
#: First delay between attempts, doubling; longer than one may take, so that no two overlap.
_FIRST_RETRY_DELAY = timedelta(seconds=90)
#: First and maximum delay while the blob store is unavailable, doubling.
_FIRST_POSTPONEMENT, _MAX_POSTPONEMENT = timedelta(seconds=15), timedelta(minutes=5)


class ImageStatus(StrEnum):
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rendition:
    """One size of an image; `name` holds a hash of the bytes, so that it can be cached for ever."""

    name: str
    width: int
    height: int
    format: str = "webp"


@dataclass(slots=True)
class Image:
    """Document of a render job; the uploaded bytes are its attachment until the renditions are stored.

    `attempts` counts all attempts; `strikes` counts those that may have failed because of the image,
    including those of a worker that was lost. `reason` is the last error.
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
        """Count an attempt before it is made; return False if none is due.

        An image whose attempts are used up, as when every worker was lost over it, fails.
        """
        if not self.is_due(now):
            return False
        if self.strikes >= MAX_STRIKES:
            self._give_up(now)
            return False
        self.attempts += 1
        self.strikes += 1
        self.next_attempt_at = now + _FIRST_RETRY_DELAY * 2 ** (self.strikes - 1)
        return True

    def postpone(self, reason: str, now: datetime) -> None:
        """Try again later without counting the attempt, which did not fail because of the image."""
        if self.is_waiting:
            self.reason = reason
            self.strikes = max(0, self.strikes - 1)
            waits = min(self.attempts - self.strikes, 10)
            self.next_attempt_at = now + min(_FIRST_POSTPONEMENT * 2 ** max(0, waits - 1), _MAX_POSTPONEMENT)

    def record_failure(self, reason: str, now: datetime) -> None:
        """Note a failed attempt that may be repeated; the last allowed one fails the image."""
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
        """Give the image up for a reason that staff read."""
        if self.is_waiting:
            self.status, self.reason = ImageStatus.FAILED, reason
            self._end(at)

    def retry(self) -> None:
        """Start a failed image again with all its attempts."""
        if self.status is ImageStatus.FAILED:
            self.status, self.reason, self.finished_at = ImageStatus.PROCESSING, "", None
            self.attempts, self.strikes, self.next_attempt_at = 0, 0, None
            self.version += 1

    def _end(self, at: datetime) -> None:
        self.finished_at, self.next_attempt_at = at, None
        self.version += 1
