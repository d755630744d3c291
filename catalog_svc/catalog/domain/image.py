"""A picture on its way from an upload to renditions in the blob store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

#: Widths in pixels of the renditions; a picture is never enlarged.
IMAGE_WIDTHS = (160, 480, 960)


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
    """The job's own document. The uploaded bytes are its attachment until the renditions are stored."""

    id: str
    product_id: str
    alt: str = ""
    status: ImageStatus = ImageStatus.PROCESSING
    reason: str = ""
    renditions: tuple[Rendition, ...] = ()
    attempts: int = 0
    created_at: datetime | None = None
    finished_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.status is ImageStatus.PROCESSING

    def finish(self, renditions: tuple[Rendition, ...], at: datetime) -> None:
        if self.is_waiting:
            self.status, self.renditions = ImageStatus.READY, renditions
            self._end(at)

    def fail(self, reason: str, at: datetime) -> None:
        """`reason` is shown to staff."""
        if self.is_waiting:
            self.status, self.reason = ImageStatus.FAILED, reason
            self._end(at)

    def retry(self) -> None:
        """Once more, as when the trouble was ours."""
        if self.status is ImageStatus.FAILED:
            self.status, self.reason, self.attempts, self.finished_at = ImageStatus.PROCESSING, "", 0, None
            self.version += 1

    def _end(self, at: datetime) -> None:
        self.finished_at = at
        self.version += 1
