"""`python -m local.template_check`, in a service's folder: every template of the service compiles.

A template with a misspelt tag or filter is otherwise found by the first shopper who opens the page.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path


def names(folder: Path) -> list[str]:
    """Return the templates below an app's folder, as Django names them."""
    roots = [root for root in folder.rglob("templates") if "node_modules" not in root.parts]
    return sorted(
        str(file.relative_to(root))
        for root in roots
        for file in root.rglob("*")
        if file.suffix in {".html", ".txt", ".xml", ".svg"}
    )


def main() -> int:
    sys.path.insert(0, os.getcwd())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError
    from django.template import TemplateSyntaxError
    from django.template.loader import get_template

    django.setup()
    try:
        call_command("check", fail_level="WARNING", stdout=io.StringIO())
    except SystemCheckError as error:
        print(error)
        return 1
    bad = 0
    for name in names(Path.cwd() / settings.SERVICE_APP):
        try:
            get_template(name)
        except TemplateSyntaxError as error:
            print(f"{name}: {error}")
            bad += 1
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
