"""Holds the audit trail against its chains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logs.wiring import parts

_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Verifies that no entry of the audit trail was changed, taken out, moved or slipped in. With --heads"
        " FILE the chains' ends are compared with those of the last time, and written there: keep the file"
        " where nobody can change both."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--heads", type=Path, metavar="FILE")

    def handle(self, *args: Any, heads: Path | None, **options: Any) -> None:
        verdict = parts().trail.verify(_known(heads))
        for fault in verdict.faults[:_SHOWN]:
            self.stderr.write(fault)
        counted = f"{verdict.entries} entries, {verdict.links} links in {len(verdict.heads)} chains"
        more = [f"{verdict.erased} with an erased person"] if verdict.erased else []
        more += [f"{verdict.unsealed} of before the chains"] if verdict.unsealed else []
        self.stdout.write(", ".join([counted, *more]))
        if verdict.faults:
            raise CommandError(f"{len(verdict.faults)} faults: the audit trail is not what was written")
        self.stdout.write("the audit trail is as it was written")
        if heads is not None:
            heads.write_text(json.dumps(verdict.heads, indent=1, sort_keys=True) + "\n")


def _known(file: Path | None) -> dict[str, tuple[int, str]]:
    if file is None or not file.exists():
        return {}
    try:
        return {
            chain: (int(number), str(end)) for chain, (number, end) in json.loads(file.read_text()).items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CommandError(f"{file}: {error}") from error
