"""Load over time: the shipped traces, and a CSV of anyone's own."""

from __future__ import annotations

import contextlib
import csv
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BIN = 0.1  # seconds; the rate is constant within one
MOST_SECONDS = 31 * 86_400.0
MOST_RATE = 1e5  # requests per second
MOST_REQUESTS = 5e9  # a quarter of an hour of CPU for each policy and seed


class BadTrace(ValueError):
    """A trace that cannot be read; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A load over time.

    rate: arrivals per second, one value per BIN. steps: when load rises so fast that recovery is worth asking
    for.
    """

    name: str
    rate: NDArray[np.float64]
    steps: tuple[float, ...] = ()
    note: str = ""

    @property
    def seconds(self) -> float:
        return len(self.rate) * BIN


def load(name: str, seed: int) -> Trace:
    """Load a shipped trace by its name, or a CSV by its path.

    Only `diurnal` differs by seed: it has noise of its own.
    """
    if name == "diurnal":
        return diurnal(seed)
    if name in SHIPPED:
        return SHIPPED[name]()
    with contextlib.suppress(OSError):  # a name that is too long for one
        if Path(name).is_file():
            return from_csv(Path(name))
    raise BadTrace(f"{name}: neither a file nor one of {', '.join(sorted([*SHIPPED, 'diurnal']))}")


def _sampled(
    name: str, seconds: float, rate: Callable[[float], float], steps: tuple[float, ...] = ()
) -> Trace:
    """By the middle of each bin."""
    count = round(seconds / BIN)
    return Trace(name, np.array([rate((place + 0.5) * BIN) for place in range(count)]), steps)


def step() -> Trace:
    return _sampled("step", 1800, lambda t: 320.0 if 300 <= t < 900 else 40.0, (300.0,))


def flash() -> Trace:
    def rate(t: float) -> float:
        if t < 300:
            return 40.0
        if t < 330:
            return 40 + 360 * (t - 300) / 30
        return 40 + 360 * math.exp(-(t - 330) / 300)

    return _sampled("flash", 2400, rate, (300.0,))


def diurnal(seed: int) -> Trace:
    """Two hours' wave, twice, times an AR(1) noise that moves once a second."""
    source = random.Random(f"diurnal {seed}")  # noqa: S311 - a simulation's dice
    noise, level = [], 0.0
    for _ in range(14_400):
        level = 0.98 * level + source.gauss(0, 0.01)
        noise.append(level)

    def rate(t: float) -> float:
        wave = 160 + 120 * math.sin(2 * math.pi * t / 7200 - 1.6) + 30 * math.sin(4 * math.pi * t / 7200)
        return max(5.0, wave * (1 + noise[int(t)]))

    return _sampled("diurnal", 14_400, rate)


def square() -> Trace:
    """140 and 260 requests a second, 45 s each, for an hour."""
    rises = tuple(45.0 + 90 * turn for turn in range(40))
    return _sampled("square", 3600, lambda t: 260.0 if t % 90 >= 45 else 140.0, rises)


def constant(level: float = 120.0, seconds: float = 3600) -> Trace:
    """120/s need exactly 5 replicas of 25 ms at 60 %: on a boundary."""
    return _sampled("constant", seconds, lambda _: level)


SHIPPED: dict[str, Callable[[], Trace]] = {
    "step": step,
    "flash": flash,
    "square": square,
    "constant": constant,
}


def bounded(trace: Trace) -> Trace:
    """Return the same. Raises BadTrace when it has more requests than anyone would wait for."""
    requests, peak = float(trace.rate.sum()) * BIN, float(trace.rate.max())
    if not (requests <= MOST_REQUESTS and peak <= MOST_RATE):
        raise BadTrace(
            f"{trace.name}: {requests:.3g} requests, up to {peak:.3g} a second; "
            f"{MOST_REQUESTS:.0e} and {MOST_RATE:.0e} are the most"
        )
    return trace


def from_csv(path: Path) -> Trace:
    """Read a CSV of `minute,requests`.

    Counts stand for the middle of their minute; between two middles the rate is interpolated, also across
    minutes that are not there; before the first and after the last it is held. `note` says so, with how many
    are not there. Raises BadTrace.
    """
    try:
        minutes, counts = zip(*_rows(path), strict=True)
    except UnicodeDecodeError:
        raise BadTrace(f"{path}: not a text in UTF-8") from None
    except (OSError, csv.Error) as error:
        raise BadTrace(f"{path}: {error}") from None
    middles = (np.array(minutes) - minutes[0] + 0.5) * 60
    distances = np.diff(middles)
    if np.any(distances <= 0):
        raise BadTrace(f"{path}: the minutes do not rise")
    if middles[-1] > MOST_SECONDS:
        days = (middles[-1] / 86_400, MOST_SECONDS / 86_400)
        raise BadTrace(
            f"{path}: {days[0]:.3g} days from its first minute to its last; {days[1]:.0f} are the most"
        )
    rates = np.array(counts) / 60
    bins = np.arange(round((middles[-1] + 30) / BIN))
    note = "minutes interpolated; the first and the last half minute held"
    if missing := round(float(np.maximum(distances / 60 - 1, 0).sum())):
        note += f"; {missing} missing {'minute' if missing == 1 else 'minutes'} interpolated, too"
    return Trace(path.stem, np.interp((bins + 0.5) * BIN, middles, rates), _rises(middles, rates), note)


def _rises(middles: NDArray[np.float64], rates: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the beginnings of jumps: half as much again from one minute to the next.

    The minute before was no jump. What rose while minutes were missing is none.
    """
    near = np.diff(middles) < 2 * 60
    jumps = near & (rates[1:] >= 1.5 * rates[:-1]) & (rates[1:] - rates[:-1] >= 10)
    first = jumps & ~np.concatenate([[False], jumps[:-1]])
    return tuple(float(middles[place]) for place in np.flatnonzero(first))


def _rows(path: Path) -> Iterator[tuple[float, float]]:
    """(minute, requests). A minute is a number, or a date and time."""
    with path.open(newline="", encoding="utf-8-sig") as lines:
        table = csv.DictReader(lines)
        if not {"minute", "requests"} <= set(table.fieldnames or ()):
            raise BadTrace(f"{path}: the first line must be minute,requests")
        empty = True
        for number, row in enumerate(table, start=2):
            try:
                minute, count = _minute(row["minute"]), float(row["requests"])
            except (TypeError, ValueError):
                raise BadTrace(f"{path}:{number}: not a minute and a count") from None
            if not math.isfinite(minute):
                raise BadTrace(f"{path}:{number}: a minute cannot be {row['minute']}")
            if not 0 <= count <= MOST_RATE * 60:
                raise BadTrace(f"{path}:{number}: a count cannot be {row['requests']}")
            empty = False
            yield minute, count
        if empty:
            raise BadTrace(f"{path}: no minutes")


def _minute(text: str) -> float:
    """Without an offset a time is UTC."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() / 60


def to_csv(trace: Trace, path: Path) -> None:
    """Write a trace as `minute,requests`; what happens within a minute is lost."""
    per_minute = round(60 / BIN)
    counts = [trace.rate[at : at + per_minute].sum() * BIN for at in range(0, len(trace.rate), per_minute)]
    with path.open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(["minute", "requests"])
        table.writerows([minute, round(count)] for minute, count in enumerate(counts))
