"""`manage.py train_spark`: compute the lists of a training by Spark from exported events."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chassis.clock import now


class Command(BaseCommand):
    help = "Lists by PySpark, for what one machine cannot hold (requirements/spark.txt and a Java)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--events", required=True, help="JSON lines or .parquet of export_events")
        parser.add_argument("--out", required=True, help="folder for the tables, as Parquet")
        parser.add_argument("--file", default="", help="folder for the model's file, if the driver holds it")
        parser.add_argument("--parameters", default="", help="JSON file: a training's `parameters`")
        parser.add_argument("--now", default="", help="RFC 3339; what is trending is counted from here")
        parser.add_argument("--master", default="", help="local[*], or a cluster's; else spark-submit's")

    def handle(self, *args: Any, **options: Any) -> None:
        parameters, moment = self._read(options)
        try:
            # Imported here: PySpark is not installed by default.
            from reco.engine import spark
        except ModuleNotFoundError as error:
            raise CommandError(f"{error}; `make .venv/.spark` installs it", returncode=2) from error
        from reco.engine.trainer import HyperparameterSet

        session = spark.session(options["master"] or None)
        try:
            events = spark.read(session, options["events"])
            found = spark.tables(events, HyperparameterSet.of(parameters), moment)
            found.save(options["out"])
            if options["file"]:
                self.stdout.write(str(_file(found.collected(), Path(options["file"]))))
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        finally:
            session.stop()

    def _read(self, options: dict[str, Any]) -> tuple[dict[str, float], datetime]:
        try:
            parameters = json.loads(Path(options["parameters"]).read_text()) if options["parameters"] else {}
            return parameters, datetime.fromisoformat(options["now"]) if options["now"] else now()
        except (OSError, ValueError) as error:
            raise CommandError(f"--parameters or --now: {error}", returncode=2) from error


def _file(lists: Any, folder: Path) -> Path:
    from reco import model_codec, model_files

    data = model_codec.pack(lists)
    path = folder / model_files.content_name(data)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
