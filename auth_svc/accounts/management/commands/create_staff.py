"""`manage.py create_staff --email … [--role admin]`: create or update a staff account."""

from __future__ import annotations

import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from accounts.container import dependencies
from chassis.api.errors import Problem
from chassis.identity.permissions_catalogue import ROLES


class Command(BaseCommand):
    help = "Creates a staff account, or sets role and password of an existing one. May be repeated."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument(
            "--password", default="", help="8 to 128 characters; else STAFF_PASSWORD of the environment"
        )
        parser.add_argument("--role", default="admin", choices=[role for role in ROLES if role != "customer"])

    def handle(self, *args: Any, **options: Any) -> None:
        # A password in the environment does not show in the list of processes.
        password = options["password"] or os.environ.get("STAFF_PASSWORD", "")
        try:
            validate_email(options["email"])
            account = dependencies().staff.create_staff(
                email=options["email"], password=password, role=options["role"]
            )
        except ValidationError as error:
            raise CommandError("--email is no e-mail address") from error
        except Problem as error:
            reasons = [reason for field in (error.errors or {}).values() for reason in field]
            raise CommandError("; ".join(reasons) or str(error)) from error
        self.stdout.write(f"{account.email}: {', '.join(account.roles)}")
