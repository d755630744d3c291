"""`manage.py replay`: a trace as real load against a deployed service, with the simulator's figures."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from autoscaling.clients.docker import Docker, engines
from autoscaling.engine import SOCKET, EngineDown


class Command(BaseCommand):
    help = "Sends a trace's requests to a deployed stack on this machine, and says what its shoppers saw."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add(
            "--trace",
            required=True,
            help="step, flash, diurnal, square, constant or a CSV of minute,requests",
        )
        add("--url", default="http://127.0.0.1:80", help="the stack's door; loopback or the own stack only")
        add("--service", default="hivemart_catalog", help="whose replicas are watched")
        add("--request", default="GET /api/catalog/suggest?q=a", help="method and path")
        add("--body", default="", help="JSON to send")
        add("--scale", type=float, default=0.1, help="multiplies every rate")
        add("--seconds", type=float, help="stop after so many")
        add("--demand", type=float, default=0.025, help="CPU seconds of a request, for what was needed")
        add("--seed", type=int, default=1)
        add("--docker", default=SOCKET, help="Docker's API, to look at")
        add("--json", type=Path, help="write the figures here")
        add("--chart", type=Path, help="write an SVG here")

    def handle(self, *args: Any, **options: Any) -> None:
        from autoscaling.replay.bounds import NotAllowed, check_size, check_target
        from autoscaling.simulator.compare import loader
        from autoscaling.simulator.traces import BadTrace

        try:
            trace = loader(options["trace"], options["scale"])(options["seed"])
            if options["seconds"]:
                trace = _cut(trace, options["seconds"])
            check_target(options["url"])
            check_size(float(trace.rate.max()), trace.seconds)
        except (BadTrace, NotAllowed) as wrong:
            raise CommandError(str(wrong)) from None
        self._report(self._run(trace, options), options)

    def _run(self, trace: Any, options: dict[str, Any]) -> Any:
        """The run as the simulator would tell it."""
        from autoscaling.replay.sending import Request, Seen, Sender
        from autoscaling.replay.watching import Watcher
        from autoscaling.simulator.engine import Run, Setup

        method, _, path = options["request"].partition(" ")
        watcher = Watcher(Docker(lambda: engines(options["docker"], 3.0)), options["service"])
        try:
            config = _config(options)
            watcher.look()
        except EngineDown as error:
            raise CommandError(f"Docker does not answer: {error}") from None
        seen = Seen.of(trace.seconds)
        watcher.start()
        try:
            sender = Sender(options["url"], Request(method, path, options["body"].encode()))
            asyncio.run(sender.run(trace, options["seed"], seen))
        finally:
            watcher.stop()
        world = SimpleNamespace(total=seen.total, bad=seen.bad, counts=[0, 0, seen.refused])
        self.latencies = sorted(seen.latencies)
        setup = Setup(config=config, demand=options["demand"])
        return Run(trace, setup, cast("Any", world), watcher.calls, watcher.wanted, watcher.ready)

    def _report(self, run: Any, options: dict[str, Any]) -> None:
        from autoscaling.simulator import report
        from autoscaling.simulator.compare import oracle_cost
        from autoscaling.simulator.metrics import figures, summary

        found = summary([figures(run, oracle_cost(run.trace, run.setup, options["seed"]))])
        table = {run.trace.name: {"deployed": found}}
        self.stdout.write(report.as_table(table))
        known = self.latencies
        if known:
            median, late = known[len(known) // 2], known[int(len(known) * 0.95)]
            self.stdout.write(f"  {int(run.world.total.sum())} requests; half within {median * 1000:.0f} ms, "
                              f"95 % within {late * 1000:.0f} ms")  # fmt: skip
        if options["json"]:
            report.write_json(table, options["json"])
        if options["chart"]:
            report.chart(run.trace.name, {"deployed": run}, options["chart"])


def _cut(trace: Any, seconds: float) -> Any:
    from dataclasses import replace

    from autoscaling.simulator.traces import BIN

    steps = tuple(at for at in trace.steps if at < seconds)
    return replace(trace, rate=trace.rate[: max(1, int(seconds / BIN))], steps=steps)


def _config(options: dict[str, Any]) -> Any:
    """What the service's labels say."""
    from autoscaling.policy import BadLabel, Config, config_from_labels

    for service in Docker(lambda: engines(options["docker"], 3.0)).look().services:
        if service.name == options["service"]:
            try:
                return config_from_labels(service.labels) or Config()
            except BadLabel as error:
                raise CommandError(str(error)) from None
    raise CommandError(f"{options['service']} is not there")
