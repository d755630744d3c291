"""`manage.py replay`: a trace as real load against a deployed service, with the simulator's figures."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from autoscaling.clients.docker import Docker, engines
from autoscaling.engine import SOCKET, EngineDown
from autoscaling.management.commands.simulate import positive, writable

REQUEST = "GET /api/catalog/products?q=bowl&limit=24&max_price={n}"
"""Another one each time, as the gateway keeps answers for two seconds."""


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
        add("--request", default=REQUEST, help="method and path; {n} in it is another number each time")
        add("--body", default="", help="JSON to send")
        add("--scale", type=positive, default=0.1, help="multiplies every rate")
        add("--seconds", type=positive, help="stop after so many")
        add("--demand", type=positive, default=0.025, help="CPU seconds of a request, for what was needed")
        add("--seed", type=int, default=1)
        add("--docker", default=SOCKET, help="Docker's API, to look at")
        add("--json", type=Path, help="write the figures here")
        add("--chart", type=Path, help="write an SVG here")

    def handle(self, *args: Any, **options: Any) -> None:
        from autoscaling.replay.bounds import NotAllowed, check_request, check_size, check_target
        from autoscaling.replay.running import cut, replay
        from autoscaling.replay.sending import Request, Sender
        from autoscaling.simulator.compare import loader
        from autoscaling.simulator.traces import BadTrace

        for path in (options["json"], options["chart"]):
            writable(path)
        try:
            trace = loader(options["trace"], options["scale"])(options["seed"])
            if options["seconds"]:
                trace = cut(trace, options["seconds"])
            check_target(options["url"])
            check_size(float(trace.rate.max()), trace.seconds)
            request = Request(*check_request(options["request"]), options["body"].encode())
        except (BadTrace, NotAllowed) as wrong:
            raise CommandError(str(wrong)) from None
        watcher, setup = self._swarm(options)
        sender = Sender(options["url"], request)
        self._knock(sender, options["url"])
        done = replay(trace, setup, sender, watcher, options["seed"])
        self._report(done, options)
        if sender.cached:
            self.stderr.write(f"{sender.cached} answers came from the gateway's cache and did not load the "
                              "service: put {n} into --request")  # fmt: skip
        if not done.whole:
            raise CommandError(f"interrupted after {done.run.trace.seconds:.0f} s", returncode=130)

    def _swarm(self, options: dict[str, Any]) -> tuple[Any, Any]:
        """Who watches the service, and the world as its labels say. Raises CommandError."""
        from autoscaling.replay.watching import Watcher
        from autoscaling.simulator.engine import Setup

        docker = Docker(lambda: engines(options["docker"], 3.0))
        watcher = Watcher(docker, options["service"])
        try:
            setup = Setup(config=_config(docker, options["service"]), demand=options["demand"])
            watcher.look()
        except EngineDown as error:
            raise CommandError(f"Docker does not answer as a Swarm's manager does: {error}") from None
        return watcher, setup

    def _knock(self, sender: Any, url: str) -> None:
        """Check before minutes of load that somebody answers."""
        try:
            status = asyncio.run(sender.first())
        except OSError as error:
            raise CommandError(f"{url} does not answer: {error}") from None
        except KeyboardInterrupt:
            raise CommandError("interrupted before the load began", returncode=130) from None
        if status >= 400:
            self.stderr.write(f"The first answer was {status}; is that what --request is for?")

    def _report(self, done: Any, options: dict[str, Any]) -> None:
        from autoscaling.simulator import report
        from autoscaling.simulator.compare import oracle_cost
        from autoscaling.simulator.metrics import figures, summary

        run, known = done.run, done.latencies
        found = summary([figures(run, oracle_cost(run.trace, run.setup, options["seed"]))])
        table = {run.trace.name: {"deployed": found}}
        self.stdout.write(report.as_table(table))
        if known:
            median, late = known[len(known) // 2], known[int(len(known) * 0.95)]
            self.stdout.write(f"  {int(run.world.total.sum())} requests; half within {median * 1000:.0f} ms, "
                              f"95 % within {late * 1000:.0f} ms")  # fmt: skip
        if options["json"]:
            report.write_json(table, options["json"])
        if options["chart"]:
            report.chart(run.trace.name, {"deployed": run}, options["chart"])


def _config(docker: Docker, name: str) -> Any:
    """Return what the service's labels say."""
    from autoscaling.policy import BadLabel, Config, config_from_labels

    services = docker.look().services
    for service in services:
        if service.name == name:
            try:
                return config_from_labels(service.labels) or Config()
            except BadLabel as error:
                raise CommandError(str(error)) from None
    others = ", ".join(sorted(service.name for service in services))
    raise CommandError(f"{name} is not there; " + (f"there are {others}" if others else "make deploy first"))
