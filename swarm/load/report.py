"""The report of a spike: pictures (SVG) and the figures that they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from swarm.load.spike import Run, SwarmSample

BAD_MS = 500.0


def write(run: Run, folder: Path) -> Path:
    """Write the pictures and `report.md` beside them."""
    figure = _matplotlib()
    _tasks(figure, run, run.samples[0], "before", folder / "before.svg")
    _tasks(figure, run, run.peak, "at the height", folder / "height.svg")
    _tasks(figure, run, run.samples[-1], "at the end", folder / "after.svg")
    _over_time(figure, run, folder / "time.svg")
    report = folder / "report.md"
    report.write_text(text(run))
    return report


def text(run: Run) -> str:
    """Return the report without its pictures."""
    before, peak, after = run.samples[0], run.peak, run.samples[-1]
    last = run.history[-1] if run.history else {"requests": 0.0, "failed": 0.0}
    calls = [
        sample.at
        for last_, sample in zip(run.samples, run.samples[1:], strict=False)
        if sample.wanted != last_.wanted
    ]
    first = next((at - run.begin for at in calls if at >= run.begin), None)
    rows = [
        f"| {name} | {before.ready[name]} | {peak.ready.get(name, 0)} | {after.ready.get(name, 0)} |"
        for name in before.ready
    ]
    share = 100 * last["failed"] / max(1.0, last["requests"])
    flood = f"The flood began at {run.begin:.0f} s and ended at {run.end:.0f} s."
    reaction = "none" if first is None else f"{first:.1f} s"
    late = max((row["late"] for row in run.history), default=0.0)
    pictures = {"before": "before", "at the height": "height", "at the end": "after", "over time": "time"}
    lines = [
        "# A flood of log-ins",
        "",
        f"{last['requests']:.0f} log-ins, {last['failed']:.0f} failed ({share:.2f} %). {flood}",
        f"First scale call after it began: {reaction}. Slowest 5 % of a moment: {late:.0f} ms.",
        "",
        "| service | before | at the height | at the end |",
        "|---|---|---|---|",
        *rows,
        "",
        *(f"![{title}]({name}.svg)" for title, name in pictures.items()),
    ]
    return "\n".join(lines) + "\n"


def _matplotlib() -> Any:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    return Figure


def _tasks(figure: Any, run: Run, sample: SwarmSample, when: str, path: Path) -> None:
    """Tasks per node, a bar each, a colour per service."""
    made = figure(figsize=(8, 1.2 + 0.6 * len(run.nodes)), layout="constrained")
    plot = made.subplots()
    left = dict.fromkeys(run.nodes, 0)
    for service in sample.wanted:
        counts = [sample.tasks.get((node, service), 0) for node in run.nodes]
        plot.barh(run.nodes, counts, left=[left[node] for node in run.nodes], label=service)
        for node, count in zip(run.nodes, counts, strict=True):
            left[node] += count
    plot.set(title=f"tasks per node {when}", xlim=(0, max(8, *left.values())))
    plot.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=7, fontsize="small")
    made.savefig(path, format="svg", metadata={"Date": None})


def _over_time(figure: Any, run: Run, path: Path) -> None:
    made = figure(figsize=(10, 8), layout="constrained")
    replicas, latency, errors = made.subplots(3, 1, sharex=True, height_ratios=(2, 1, 1))
    times = [sample.at for sample in run.samples]
    for name in run.samples[0].wanted:
        ready = [sample.ready.get(name, 0) for sample in run.samples]
        if name == "auth" or len(set(ready)) > 1:
            (line,) = replicas.step(times, ready, where="post", label=f"{name} ready")
            wanted = [sample.wanted.get(name, 0) for sample in run.samples]
            replicas.step(times, wanted, where="post", linestyle=":", color=line.get_color())
    at = [row["at"] for row in run.history]
    latency.plot(at, [row["median"] for row in run.history], label="half within")
    latency.plot(at, [row["late"] for row in run.history], label="95 % within")
    latency.axhline(BAD_MS, color="grey", linewidth=0.6)
    errors.plot(at, [row["rate"] for row in run.history], label="log-ins")
    errors.plot(at, [row["failures"] for row in run.history], label="failed")
    replicas.set(title="a flood of log-ins", ylabel="replicas", ylim=(0, None))
    latency.set(ylabel="ms", ylim=(0, None))
    errors.set(ylabel="per second", xlabel="seconds", ylim=(0, None))
    for plot in (replicas, latency, errors):
        plot.axvspan(run.begin, run.end, color="orange", alpha=0.12)
        plot.legend(loc="upper right", fontsize="small")
    made.savefig(path, format="svg", metadata={"Date": None})
