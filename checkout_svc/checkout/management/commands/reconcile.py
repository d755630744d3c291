"""`manage.py reconcile`: run after a restore or a promotion, before sales open."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chassis.couch import CouchError
from checkout import container
from checkout.domain import ProviderDown
from checkout.services import DependencyUnavailable, Report

FOR_A_PERSON = 1
NOT_FINISHED = 2


class Command(BaseCommand):
    help = (
        "Makes the stock agree with the orders, and compares both with the payment provider's books. Ends"
        " with 1 when a person must look, with 2 when it could not be finished and may be tried again."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
        parser.add_argument("--wait", type=float, default=60.0, help="seconds to wait for the catalogue")

    def handle(self, *args: Any, **options: Any) -> None:
        report = _run(options["wait"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report), indent=1))
        else:
            self.stdout.write("\n".join(_lines(report)))
        if report.findings:
            sys.exit(FOR_A_PERSON)


def _run(wait: float) -> Report:
    end = time.monotonic() + wait
    while True:
        try:
            return container.dependencies().reconciler.run()
        except (DependencyUnavailable, ProviderDown, CouchError) as error:
            if time.monotonic() > end:
                raise CommandError(f"not finished: {error}", returncode=NOT_FINISHED) from error
            time.sleep(1.0)


def _lines(report: Report) -> list[str]:
    looked = f"{report.orders:,} orders, {report.payments:,} payments, {report.skus:,} SKUs"
    lines = [f"checkout: looked at {looked}; {report.waiting:,} orders are half-way and go on by themselves"]
    lines += [f"changed: {each.hold_id} {each.sku} {each.outcome}" for each in report.changes]
    lines += [f"PLEASE LOOK: {each.kind}: {each.about}: {each.detail}" for each in report.findings]
    lines.append(
        f"{len(report.changes):,} changes, {len(report.findings):,} things for a person to look at"
        if report.changes or report.findings
        else "everything agrees"
    )
    return lines
