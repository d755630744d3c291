"""`manage.py simulate`: policies against each other on the same load, request by request."""

from __future__ import annotations

import os
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

TRACES = "step,flash,diurnal,square,constant"


class Command(BaseCommand):
    help = "Simulates a service on a Swarm under a load, and compares what policies make of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        from autoscaling.policies import POLICIES

        add = parser.add_argument
        add("--trace", nargs="+", default=[TRACES], help=f"{TRACES} or CSV files of minute,requests")
        add("--policy", nargs="+", default=[",".join(POLICIES)], help=",".join(POLICIES))
        add("--seeds", type=seeds, default=range(1, 11), help="runs per trace and policy, or from-to")
        add("--jobs", type=whole, help="runs at a time; one per processor if left out")
        add("--start", type=_range, default=(3.5, 5.5), help="seconds until a replica is ready, from-to")
        add("--json", type=Path, help="write the figures here")
        add("--charts", type=Path, help="write an SVG per trace into this folder")
        add("--min", type=whole, default=2)
        add("--max", type=whole, default=24)
        add("--target", type=positive, default=0.6, help="CPU per replica that is aimed at")
        add("--demand", type=positive, default=0.025, help="mean CPU seconds of a request")
        add("--scale", type=positive, default=1.0, help="multiplies every rate")
        add("--room", type=whole, help="replicas that the nodes can hold")

    def handle(self, *args: Any, **options: Any) -> None:
        from autoscaling.simulator import compare, report
        from autoscaling.simulator.traces import BadTrace

        policies, names, setup = _policies(options["policy"]), _split(options["trace"]), _setup(options)
        try:
            loads = {name: compare.loader(name, options["scale"]) for name in names}
        except BadTrace as wrong:
            raise CommandError(str(wrong)) from None
        for path in (options["json"], options["charts"] and options["charts"] / "any.svg"):
            writable(path)
        table = {}
        jobs = options["jobs"] or compare.processors()
        for name, load in loads.items():
            shown = Progress(name, self.stderr)
            try:
                compared = compare.compare(load, policies, setup, options["seeds"], jobs, shown)
            except KeyboardInterrupt:
                raise CommandError(f"{name} was interrupted", returncode=130) from None
            finally:
                shown.clear()
            table[name] = compared.figures
            self.stdout.write(report.as_table({name: compared.figures}))
            self._say(compared.runs, compared.cpu)
            if options["charts"]:
                report.chart(name, compared.runs, options["charts"] / f"{Path(name).stem}.svg")
        if options["json"]:
            report.write_json(table, options["json"])

    def _say(self, runs: Any, seconds: float) -> None:
        run = next(iter(runs.values()))
        setup, note = run.setup, run.trace.note
        peak = run.trace.rate.max() * setup.demand / setup.config.cpu_target
        if peak > setup.config.max:
            self.stdout.write(f"  the peak would need {peak:.0f} replicas, {setup.config.max} are the most")
        self.stdout.write(f"  {note + '; ' if note else ''}{seconds:.1f} s of CPU\n")


class Progress:
    """Progress on standard error: in one line that is written over, without a terminal every ten seconds."""

    EVERY = 10.0

    def __init__(self, name: str, out: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._out, self._clock = name, out, clock
        self._live = bool(out.isatty())
        self._began = self._said = clock()
        self._shown = False

    def __call__(self, done: int, of: int) -> None:
        now = self._clock()
        if done == of or now - self._said < (0.2 if self._live else self.EVERY):
            return
        self._said, self._shown = now, True
        left = (now - self._began) / done * (of - done)
        text = f"{self._name}: {done} of {of} runs, about {left:.0f} s left"
        if self._live:
            self._out.write(f"\r{text:<79}", str, "")
            self._out.flush()
        else:
            self._out.write(text, str)

    def clear(self) -> None:
        if self._live and self._shown:
            self._out.write(f"\r{'':79}\r", str, "")


def _setup(options: dict[str, Any]) -> Any:
    from autoscaling.policy import Config
    from autoscaling.simulator.engine import Setup

    if options["min"] > options["max"]:
        raise CommandError(f"--min {options['min']} is above --max {options['max']}")
    config = Config(min=options["min"], max=options["max"], cpu_target=options["target"])
    return Setup(config=config, start=options["start"], demand=options["demand"], room=options["room"])


def _policies(given: list[str]) -> list[str]:
    from autoscaling.policies import POLICIES

    names = _split(given)
    for name in names:
        if name not in POLICIES:
            raise CommandError(f"{name}: not a policy; there are {', '.join(POLICIES)}")
    return names


def _split(given: list[str]) -> list[str]:
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    if not names:
        raise CommandError("an empty list of traces or policies")
    return list(dict.fromkeys(names))


def whole(text: str) -> int:
    """For an option that is a whole number from 1."""
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def seeds(text: str) -> range:
    """`10` for the first ten, `11-30` for others."""
    low, _, high = text.rpartition("-")
    found = range(whole(low or "1"), whole(high) + 1)
    if not found:
        raise ArgumentTypeError(f"{text!r} does not rise")
    return found


def writable(path: Path | None) -> None:
    """Before a long run: its folder is made, and the file can be. Raises CommandError."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{path.parent} cannot be made a folder: {error.strerror}") from None
    if path.is_dir():
        raise CommandError(f"{path} is a folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CommandError(f"{path} cannot be written")


def positive(text: str) -> float:
    """For an option that is a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def _range(text: str) -> tuple[float, float]:
    """`3.5-5.5`, or one number for both ends."""
    low, _, high = text.partition("-")
    try:
        found = (float(low), float(high or low))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not seconds, from-to") from None
    if not 0 <= found[0] <= found[1] <= 3600:
        raise ArgumentTypeError(f"{text!r} does not rise from 0")
    return found
