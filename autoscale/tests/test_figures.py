"""The targets of the design, with few seeds; `make bench-autoscale` checks them with ten."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from interrupts import heard

from autoscaling.management.commands import simulate
from autoscaling.simulator import bench, compare, metrics, traces
from autoscaling.simulator.engine import Setup

KEYS = (
    "bad_percent", "rejected_percent", "recovery_s", "cost_ratio",
    "reversals_per_hour", "under_percent", "over_percent",
)  # fmt: skip


def means(trace: str, *policies: str, seeds: int = 3):
    return compare.compare(compare.loader(trace, 1.0), policies, Setup(), range(1, seeds + 1)).figures


def test_a_step_is_met_at_once_where_kubernetes_takes_minutes():
    found = means("step", "default", "hpa")

    assert found["default"]["bad_percent"] <= 1.0
    assert found["default"]["recovery_s"] <= 15
    assert found["default"]["cost_ratio"] <= 1.35
    assert found["hpa"]["bad_percent"] > 10
    assert found["hpa"]["recovery_s"] > 90


def test_a_flash_crowd_is_met():
    assert means("flash", "default")["default"]["bad_percent"] <= 1.1


def test_without_the_gateways_figures_it_is_still_quicker_than_others():
    step, flash = means("step", "cpu-only")["cpu-only"], means("flash", "cpu-only")["cpu-only"]

    assert max(step["bad_percent"], flash["bad_percent"]) <= 4
    assert max(step["recovery_s"], flash["recovery_s"]) <= 45


def test_a_day_of_waves_causes_no_reversal():
    found = means("diurnal", "default", "cpu-only", seeds=1)

    assert found["default"]["reversals_per_hour"] == 0
    assert found["cpu-only"]["reversals_per_hour"] <= 1.2


def test_a_day_of_minutes_takes_less_than_30_seconds_of_cpu(capsys):
    """A twelfth of one: 120 minutes spread over it, and the same share of its requests. The best of three."""
    twelfth, most, said = partial(bench.made_up_day, minutes=120), bench.DAY_CPU / 12, []

    assert any(bench.day(twelfth, most, said.append) for _ in range(3)), said
    assert "day, 6.2 million requests" in said[0] or "day, 6.3 million requests" in said[0]
    assert not bench.day(partial(bench.made_up_day, minutes=2), 0.0, said.append)
    assert said[-1].endswith("at most 0  MISSED")


def test_targets_are_met_by_the_mean_of_the_seeds_and_what_never_recovers_misses_them():
    met = bench.Target("constant", "default", "reversals_per_hour", 0.0)
    missed = [
        bench.Target("constant", "default", "cost_ratio", 0.5),
        bench.Target("constant", "default", "recovery_s", 15.0),  # there is no step, so no recovery
    ]
    said = []

    assert bench.targets([met], [1, 2], 1, said.append)
    assert not bench.targets([met, missed[0]], [1, 2], 1, said.append)
    assert not bench.targets([missed[1]], [1, 2], 1, said.append)
    assert [line.split(": ")[1].split() for line in said] == [
        ["reversals_per_hour", "0.00", "±0.00", "at", "most", "0"],
        ["reversals_per_hour", "0.00", "±0.00", "at", "most", "0"],
        ["cost_ratio", "1.00", "±0.00", "at", "most", "0.5", "MISSED"],
        ["recovery_s", "never", "at", "most", "15", "MISSED"],
    ]


def test_the_targets_that_are_checked_are_those_of_the_page():
    page = (Path(__file__).resolve().parents[2] / "docs" / "autoscaling.md").read_text()
    table = page.partition("Against the targets")[2].partition("\n\n")[2].partition("\n\n")[0]
    asked = sorted(
        {
            float(number)
            for row in table.splitlines()[2:]
            for number in re.findall(r"[\d.]+", row.split("|")[2])
        }
    )

    assert asked == sorted({target.most for target in bench.TARGETS})


@pytest.mark.parametrize("replicas", [2, 3, 5, 7, 11])
@pytest.mark.parametrize("policy", ["default", "cpu-only"])
def test_a_constant_load_on_a_boundary_between_replicas_causes_no_action(replicas, policy):
    run = compare.run_one(traces.constant(24.0 * replicas), policy, Setup(), replicas)

    assert run.calls == []
    assert metrics.reversals(run) == 0


def test_the_command_writes_what_it_promises(tmp_path, capsys):
    trace = tmp_path / "mine.csv"
    trace.write_text("minute,requests\n0,2400\n1,2400\n2,9600\n3,9600\n")

    call_command(
        "simulate", "--trace", str(trace), "--policy", "default,hpa", "--seeds", "2",
        "--start", "3.5-5.5", "--json", str(tmp_path / "out.json"), "--charts", str(tmp_path / "charts"),
    )  # fmt: skip

    written = json.loads((tmp_path / "out.json").read_text())
    assert list(written) == [str(trace)]
    assert list(written[str(trace)]) == ["default", "hpa"]
    assert list(written[str(trace)]["hpa"]) == [name for key in KEYS for name in (key, f"{key}_ci95")]
    assert (tmp_path / "charts" / "mine.svg").is_file()
    assert "minutes interpolated" in capsys.readouterr().out


def test_figures_do_not_depend_on_how_many_runs_there_are_at_a_time():
    load, policies, seeds = compare.loader("constant", 0.2), ["default", "cpu-only"], range(11, 13)
    seen = []

    one = compare.compare(load, policies, Setup(), seeds)
    two = compare.compare(load, policies, Setup(), seeds, 2, lambda done, of: seen.append((done, of)))

    assert two.figures == one.figures
    assert two.runs["default"].calls == one.runs["default"].calls
    assert list(two.runs["default"].world.total) == list(one.runs["default"].world.total)
    assert seen == [(place, 6) for place in range(1, 7)]  # the oracle's, too


def test_seeds_can_be_others_than_the_first_ten():
    def figures(seeds: str) -> str:
        out = io.StringIO()
        arguments = ("--trace", "step", "--policy", "default", "--jobs", "1", "--seeds", seeds)
        call_command("simulate", *arguments, stdout=out)
        return out.getvalue().splitlines()[2]

    assert figures("1") == figures("1-1") != figures("2-2")


class Screen(io.StringIO):
    def write(self, text, style=None, ending="\n"):
        super().write(text + ("\n" if ending is None else ending))


def test_a_long_comparison_says_how_far_it_is():
    times, out = iter([0.0, 5.0, 12.0, 15.0, 24.0, 30.0]), Screen()
    progress = simulate.Progress("step", out, clock=lambda: next(times))

    for done in range(1, 6):
        progress(done, 5)
    progress.clear()

    assert out.getvalue() == "step: 2 of 5 runs, about 18 s left\nstep: 4 of 5 runs, about 6 s left\n"


def test_a_comparison_that_is_interrupted_ends_at_once_and_says_so():
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "manage.py", "simulate", "--trace", "diurnal", "--seeds", "500", "--jobs", "2"]
    with subprocess.Popen(  # noqa: S603 -- our own
        command,
        cwd=root,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heard,  # noqa: PLW1509
    ) as process:
        while sum(ticks > 10 for ticks in _group(process.pid)) < 3 and process.poll() is None:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()

    assert process.returncode == 130
    assert "diurnal was interrupted" in said
    assert "Traceback" not in said
    assert _group(process.pid) == []


def _group(leader: int) -> list[int]:
    """Return the CPU time in ticks of its processes, by /proc: its leader and the two that simulate."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == leader and fields[0] != "Z":
                found.append(int(fields[11]))
    return found


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--trace", "nowhere.csv"], "neither a file nor one of"),
        (["--policy", "best"], "best: not a policy"),
        (["--seeds", "0"], "not a whole number from 1"),
        (["--seeds", "30-11"], "does not rise"),
        (["--jobs", "none"], "not a whole number from 1"),
        (["--start", "5-3"], "does not rise"),
        (["--min", "5", "--max", "4"], "above --max"),
        (["--json", "."], "is a folder"),
        (["--json", "/proc/version/out.json"], "/proc/version cannot be made a folder"),
        (["--charts", "/proc/version"], "/proc/version cannot be made a folder"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_options_before_it_begins(arguments, says, capsys):
    with pytest.raises(CommandError, match=says):
        call_command("simulate", *arguments)

    assert capsys.readouterr().out == ""


def test_the_shipped_traces_can_be_written_as_files(tmp_path, capsys):
    call_command("traces", str(tmp_path))

    assert {path.stem for path in tmp_path.iterdir()} == {"constant", "diurnal", "flash", "square", "step"}
    assert len((tmp_path / "step.csv").read_text().splitlines()) == 31
