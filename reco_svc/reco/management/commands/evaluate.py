"""`manage.py evaluate`: compare this engine with others on a file of events, on the same split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Quality, speed and memory of recommenders on a Parquet or CSV file (user, item, time, …)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--data", required=True, help="Parquet or CSV; the UCI Online Retail set as it is"
        )
        parser.add_argument(
            "--protocol", default="last-basket", help="last-basket, last-item, basket or session"
        )
        parser.add_argument("--methods", default="popularity,ours", help="names with commas between")
        parser.add_argument("--json", default="", help="file for the figures")
        parser.add_argument("--charts", default="", help="folder for charts (SVG)")

    def handle(self, *args: Any, **options: Any) -> None:
        # Imported here: pyarrow comes with requirements/science.txt, which the service does not need.
        from reco.evaluation.interaction_log import InvalidData

        try:
            rows = self._rows(options)
        except InvalidData as error:
            raise CommandError(str(error), returncode=2) from error
        except ModuleNotFoundError as error:
            raise CommandError(f"{error}; `make .venv/.science` installs it", returncode=2) from error
        self._report(rows, options)
        if any("error" in row for row in rows.values()):
            raise CommandError("a method could not run (see above)", returncode=1)

    def _rows(self, options: dict[str, Any]) -> dict[str, Any]:
        from reco.evaluation import interaction_log, runner

        names = runner.parse_methods(options["methods"], options["protocol"], options["json"])
        log = interaction_log.read(Path(options["data"]))
        for note in log.notes:
            self.stderr.write(note)
        return runner.run(log, options["protocol"], names, self.stderr.write)

    def _report(self, rows: dict[str, Any], options: dict[str, Any]) -> None:
        from reco.evaluation import report

        self.stdout.write(report.table(rows))
        if options["json"]:
            Path(options["json"]).write_text(report.as_json(rows))
        if options["charts"]:
            title = f"{Path(options['data']).name}, {options['protocol']}"
            for chart in report.charts(rows, title, Path(options["charts"])):
                self.stderr.write(str(chart))
