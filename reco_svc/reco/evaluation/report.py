"""The figures for people (a table, charts) and for machines (JSON)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from reco.evaluation.runner import KEYS, Row

HEAD = ("NDCG@10", "HR@10", "coverage", "fit CPU s", "peak MB", "us/list")
FORMATS = ("{:.4f}", "{:.3f}", "{:.3f}", "{:.2f}", "{:.0f}", "{:.0f}")


def table(rows: Mapping[str, Row]) -> str:
    """Format a table of the methods side by side."""
    lines = [f"{'method':<12}" + "".join(f"{name:>11}" for name in HEAD) + f"{'queries':>11}"]
    for name, row in rows.items():
        if "error" in row:
            lines.append(f"{name:<12} {row['error']}")
            continue
        cells = [form.format(row[key]) for form, key in zip(FORMATS, KEYS, strict=True)]
        lines.append(f"{name:<12}" + "".join(f"{cell:>11}" for cell in (*cells, row["questions"])))
    return "\n".join(lines)


def as_json(rows: Mapping[str, Row]) -> str:
    return json.dumps({name: {key: row[key] for key in KEYS} for name, row in rows.items()}, indent=2) + "\n"


def charts(rows: Mapping[str, Row], title: str, folder: Path) -> list[Path]:
    """Draw quality, and quality against the CPU of a fit, as SVG files in the folder."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    good = {name: row for name, row in rows.items() if "error" not in row}
    folder.mkdir(parents=True, exist_ok=True)
    bars = Figure(figsize=(7, 3.2), layout="constrained")
    axes = bars.subplots()
    drawn = axes.bar(list(good), [row["ndcg_at_10"] for row in good.values()], color="#8899aa")
    axes.bar_label(drawn, fmt="%.4f", fontsize=8)
    axes.set(ylabel="NDCG@10", title=title)
    cost = Figure(figsize=(7, 3.2), layout="constrained")
    axes = cost.subplots()
    for name, row in good.items():
        axes.scatter(max(row["fit_cpu_s"], 1e-3), row["ndcg_at_10"], s=20 + row["peak_mb"])
        axes.annotate(name, (max(row["fit_cpu_s"], 1e-3), row["ndcg_at_10"]), fontsize=8)
    axes.set(xscale="log", xlabel="CPU seconds of a fit (area: peak memory)", ylabel="NDCG@10", title=title)
    paths = [folder / "quality.svg", folder / "cost.svg"]
    for figure, path in zip((bars, cost), paths, strict=True):
        figure.savefig(path)
    return paths
