"""How much memory a training may take, so that it fails with a reason before the machine kills it."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reco.domain import Amount

MB = 1 << 20
ALWAYS = 5 * MB
# Bytes at the peak of a training: the event and its arrays, a person's history, a product's name, and a place
# in each of its lists.
PER_EVENT, PER_PERSON, PER_PRODUCT, PER_NEIGHBOUR = 600, 600, 300, 400
DENSE_PER_PRODUCT = 13_000
SHARE = 0.9  # of what is free, where nothing is set
_CONTAINER = Path("/sys/fs/cgroup")


class TooLarge(Exception):
    """The training needs more memory than it may take."""


class Memory:
    """`megabytes` beside what the process has before; 0: nine tenths of what container and machine have free.
    `first` is called before a cap is set: it imports what is not a training's own.
    """

    def __init__(self, megabytes: int = 0, *, first: Callable[[], object] = lambda: None) -> None:
        self._megabytes, self._first = megabytes, first

    @contextmanager
    def capped(self) -> Iterator[Room]:
        """Within it the process gets no more than that (RLIMIT_DATA); raises TooLarge where it asks for
        more. The limit is the whole process's, so nothing else should be going on in it."""
        self._first()
        room = Room(self._megabytes * MB or int(SHARE * free()))
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = held() + room.bytes
        resource.setrlimit(resource.RLIMIT_DATA, (min(_limits(wanted, soft, hard)), hard))
        try:
            yield room
        except MemoryError as error:
            raise TooLarge(f"it needs more than the {room} that TRAINING_MEMORY_MB allows") from error
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class Room:
    """What a training may take, in bytes."""

    def __init__(self, bytes: int) -> None:
        self.bytes = bytes

    def __str__(self) -> str:
        return f"{self.bytes // MB:,} MB"

    def check(self, amount: Amount) -> None:
        """Raises TooLarge when a training on so much is sure to need more: sooner than it is noticed."""
        wanted = needed(amount)
        if wanted > self.bytes:
            raise TooLarge(f"{amount} need about {wanted // MB:,} MB; TRAINING_MEMORY_MB allows {self}")

    def for_dense(self, amount: Amount) -> bool:
        """Whether there is room for the second model too, which is dense (reco.engine.second)."""
        return needed(amount) + dense(amount.products) <= self.bytes


def needed(amount: Amount) -> int:
    """Bytes of a training at its peak without the second model. Measured from 20,000 events with 1,000
    products to 400,000 with 20,000, in visits of two to twenty: within a quarter."""
    return (
        ALWAYS
        + PER_EVENT * amount.events
        + PER_PERSON * amount.people
        + PER_PRODUCT * amount.products
        + PER_NEIGHBOUR * amount.neighbours
    )


def dense(products: int) -> int:
    """Bytes of the second model (reco.engine.second): one matrix, and what is kept of it."""
    return DENSE_PER_PRODUCT * products + 8 * products**2


def held() -> int:
    """What the kernel counts against RLIMIT_DATA, bytes."""
    return int(_of("/proc/self/status", "VmData:")) * 1024


def free() -> int:
    """What container and machine have left, bytes."""
    found = [int(_of("/proc/meminfo", "MemAvailable:")) * 1024]
    limit, used = _CONTAINER / "memory.max", _CONTAINER / "memory.current"
    if limit.exists() and limit.read_text().strip().isdigit():
        found.append(int(limit.read_text()) - int(used.read_text()))
    return max(MB, min(found))


def _of(file: str, name: str) -> str:
    lines = Path(file).read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(name))


def _limits(*values: int) -> Iterator[int]:
    return (value for value in values if value != resource.RLIM_INFINITY)
