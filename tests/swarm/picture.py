"""`python -m tests.swarm.picture FOLDER`: a run of the load as a picture, with what was done to the shop."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.swarm.load import percentiles

BUCKET = 5.0  # seconds
INK, QUIET, MEDIAN, TAIL, BAD = "#1f2430", "#8a8f9c", "#2f6f9f", "#d98b2b", "#c0392b"


def draw(folder: Path) -> Path:
    """`load.svg` beside the records."""
    import matplotlib as mpl  # takes a second to load

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "hivemart", "font.size": 9, "font.family": "sans-serif"})
    from matplotlib import pyplot as plt

    seen = [json.loads(line) for line in (folder / "requests.jsonl").read_text().splitlines()]
    marks = json.loads((folder / "marks.json").read_text())
    figure, (times, rate) = plt.subplots(2, 1, figsize=(11, 5.4), sharex=True, height_ratios=[3, 1])
    _times(times, seen)
    _marks(times, marks)
    _rate(rate, seen)
    for axes in (times, rate):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK)
    figure.tight_layout()
    made = folder / "load.svg"
    figure.savefig(made, metadata={"Date": None})
    plt.close(figure)
    return made


def _times(axes: Any, seen: list[dict[str, Any]]) -> None:
    buckets: dict[float, list[float]] = defaultdict(list)
    for one in seen:
        buckets[one["at"] // BUCKET * BUCKET].append(one["ms"])
    at = sorted(buckets)
    spread = [percentiles(buckets[moment]) for moment in at]
    axes.plot(at, [each["p50"] for each in spread], color=MEDIAN, lw=1.4, label="median")
    axes.plot(at, [each["p95"] for each in spread], color=TAIL, lw=1.0, label="95th percentile")
    axes.set_yscale("log")
    axes.set_ylabel("milliseconds")
    axes.legend(loc="upper left", frameon=False, ncols=2)
    failed = sum(bool(one["error"]) for one in seen)
    title = f"{len(seen):,} requests, {failed} failed".replace(",", " ")
    axes.set_title(title, loc="left", color=INK, fontweight="bold")


def _marks(axes: Any, marks: list[dict[str, Any]]) -> None:
    top = axes.get_ylim()[1]
    axes.set_ylim(top=top * 12)
    for number, mark in enumerate(marks):
        until = mark.get("until", mark["at"] + 1)
        axes.axvspan(mark["at"], until, color=QUIET, alpha=0.16 if number % 2 else 0.28, lw=0)
        where = {"rotation": 90, "va": "top", "ha": "left", "fontsize": 7, "color": INK}
        axes.text(mark["at"] + 0.5, top * 10, mark["what"], **where)


def _rate(axes: Any, seen: list[dict[str, Any]]) -> None:
    good: dict[float, int] = defaultdict(int)
    bad: dict[float, int] = defaultdict(int)
    for one in seen:
        (bad if one["error"] else good)[one["at"] // BUCKET * BUCKET] += 1
    at = sorted({*good, *bad})
    full = [good[moment] / BUCKET for moment in at]
    axes.bar(at, full, width=BUCKET, align="edge", color=MEDIAN, alpha=0.5, lw=0, label="answered")
    failed = [bad[moment] / BUCKET for moment in at]
    axes.bar(at, failed, bottom=full, width=BUCKET, align="edge", color=BAD, lw=0, label="failed")
    axes.set_ylabel("per second")
    axes.set_xlabel("seconds")


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))  # noqa: T201 - a command
