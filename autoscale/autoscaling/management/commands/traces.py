"""`manage.py traces`: the shipped loads as CSV files, to look at, to change, or to replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Writes the shipped traces as minute,requests into a folder. What happens within a minute is lost."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--seed", type=int, default=1, help="of the diurnal trace's noise")

    def handle(self, *args: Any, **options: Any) -> None:
        from autoscaling.simulator import traces

        options["folder"].mkdir(parents=True, exist_ok=True)
        for name in (*traces.SHIPPED, "diurnal"):
            path = options["folder"] / f"{name}.csv"
            traces.to_csv(traces.load(name, options["seed"]), path)
            self.stdout.write(str(path))
