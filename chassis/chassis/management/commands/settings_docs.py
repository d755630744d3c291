"""`manage.py settings_docs`: the variables table for docs/settings.md."""

from typing import Any

from django.core.management.base import BaseCommand

from chassis.env import table


class Command(BaseCommand):
    help = "Prints every declared environment variable as a Markdown table."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(table())
