"""`manage.py bench`: the policy against its targets, and the simulator against its own."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from autoscaling.management.commands.simulate import seeds, whole


class Command(BaseCommand):
    help = "Simulates what there are targets for, and ends with 1 where one is missed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--seeds", type=seeds, default=range(1, 11), help="runs per trace and policy, or from-to")
        add("--jobs", type=whole, help="runs at a time; one per processor if left out")
        add("--day", default="", help="CSV of a day, for the CPU time; made up if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        from autoscaling.simulator import bench
        from autoscaling.simulator.compare import loader, processors
        from autoscaling.simulator.traces import BadTrace

        try:
            load = loader(options["day"], 1.0) if options["day"] else bench.made_up_day
        except BadTrace as wrong:
            raise CommandError(str(wrong)) from None
        jobs = options["jobs"] or processors()
        met = bench.targets(bench.TARGETS, options["seeds"], jobs, self.stdout.write)
        if not bench.day(load, bench.DAY_CPU, self.stdout.write) or not met:
            raise CommandError("a target is missed")
