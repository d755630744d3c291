"""Verify the audit trail against its chains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logs.container import dependencies

_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Verify that no entry of the audit trail was changed, removed, moved or inserted. With --heads"
        " FILE the chains' ends are compared with those of the last run, and written there: store the file"
        " where nobody can change both."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--heads", type=Path, metavar="FILE")

    def handle(self, *args: Any, heads: Path | None, **options: Any) -> None:
        report = dependencies().audit_trail.verify(_known(heads))
        for problem in report.problems[:_SHOWN]:
            self.stderr.write(problem)
        counted = f"{report.entries} entries, {report.links} links in {len(report.heads)} chains"
        more = [f"{report.erased} with an erased person"] if report.erased else []
        more += [f"{report.unsealed} older than the chains"] if report.unsealed else []
        self.stdout.write(", ".join([counted, *more]))
        if report.problems:
            raise CommandError(f"{len(report.problems)} problems: the audit trail was changed")
        self.stdout.write("the audit trail is intact")
        if heads is not None:
            heads.write_text(json.dumps(report.heads, indent=1, sort_keys=True) + "\n")


def _known(file: Path | None) -> dict[str, tuple[int, str]]:
    if file is None or not file.exists():
        return {}
    try:
        return {
            chain: (int(number), str(end)) for chain, (number, end) in json.loads(file.read_text()).items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CommandError(f"{file}: {error}") from error
