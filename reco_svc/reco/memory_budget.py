"""The memory budget of a training, so that it fails with a reason before the machine kills it."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reco.domain import Amount

MB = 1 << 20
ALWAYS = 5 * MB
# Peak bytes of a training: an event with its arrays, a person's history, a product's name, and an entry
# of its lists.
PER_EVENT, PER_PERSON, PER_PRODUCT, PER_NEIGHBOUR = 600, 600, 300, 400
DENSE_PER_PRODUCT = 13_000
SHARE = 0.9  # of the free memory, if no limit is set
_CONTAINER = Path("/sys/fs/cgroup")


class TooLarge(Exception):
    """The training needs more memory than it may use."""


class MemoryLimit:
    """Limits the memory of a training to `megabytes` beside what the process already has.

    With 0, the limit is nine tenths of what the container and the machine have free. `first` is called before
    the limit is set: it imports what does not count as the training's own.
    """

    def __init__(self, megabytes: int = 0, *, first: Callable[[], object] = lambda: None) -> None:
        self._megabytes, self._first = megabytes, first

    @contextmanager
    def limited(self) -> Iterator[MemoryBudget]:
        """Limit the process's memory within the block (RLIMIT_DATA); raises TooLarge.

        The limit applies to the whole process, so nothing else should run in it.
        """
        self._first()
        budget = MemoryBudget(self._megabytes * MB or int(SHARE * free_bytes()))
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = data_bytes() + budget.bytes
        resource.setrlimit(resource.RLIMIT_DATA, (min(_limits(wanted, soft, hard)), hard))
        try:
            yield budget
        except MemoryError as error:
            raise TooLarge(f"it needs more than the {budget} that TRAINING_MEMORY_MB allows") from error
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class MemoryBudget:
    """The memory that a training may use, in bytes."""

    def __init__(self, bytes: int) -> None:
        self.bytes = bytes

    def __str__(self) -> str:
        return f"{self.bytes // MB:,} MB"

    def check(self, amount: Amount) -> None:
        """Raise TooLarge if a training on this much data is sure to exceed the budget."""
        wanted = estimate_bytes(amount)
        if wanted > self.bytes:
            raise TooLarge(f"{amount} need about {wanted // MB:,} MB; TRAINING_MEMORY_MB allows {self}")

    def fits_dense(self, amount: Amount) -> bool:
        """Return True if the dense second model (`reco.engine.ease`) fits too."""
        return estimate_bytes(amount) + estimate_dense_bytes(amount.products) <= self.bytes


def estimate_bytes(amount: Amount) -> int:
    """Estimate the peak bytes of a training without the second model.

    Measured from 20,000 events with 1,000 products to 400,000 with 20,000, in visits of two to twenty: within
    a quarter.
    """
    return (
        ALWAYS
        + PER_EVENT * amount.events
        + PER_PERSON * amount.people
        + PER_PRODUCT * amount.products
        + PER_NEIGHBOUR * amount.neighbours
    )


def estimate_dense_bytes(products: int) -> int:
    """Estimate the bytes of the second model (`reco.engine.ease`): one matrix and its kept entries."""
    return DENSE_PER_PRODUCT * products + 8 * products**2


def data_bytes() -> int:
    """Return the bytes that the kernel counts against RLIMIT_DATA."""
    return int(_of("/proc/self/status", "VmData:")) * 1024


def free_bytes() -> int:
    """Return the bytes that the container and the machine have left."""
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
