"""What the documentation says is there: files that it links to, make targets that it names, settings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local.options import ROOT
from local.settings_docs import document

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)")
TARGET = re.compile(r"(?:^|`|\$ )make ([a-z][a-z0-9-]*)", re.MULTILINE)
DEFINED = re.compile(r"^([a-z][a-z0-9-]*):.*## ", re.MULTILINE)


def pages() -> list[Path]:
    """All Markdown files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split() if (ROOT / name).exists()]


def dead_links() -> Iterator[str]:
    for page in pages():
        for link in LINK.findall(page.read_text()):
            if not (page.parent / link).exists():
                yield f"{page.relative_to(ROOT)}: {link} is not there"


def unknown_targets() -> Iterator[str]:
    known = set(DEFINED.findall((ROOT / "Makefile").read_text()))
    for page in pages():
        for target in TARGET.findall(page.read_text()):
            if target not in known:
                yield f"{page.relative_to(ROOT)}: there is no target {target}"


def undocumented() -> Iterator[str]:
    """Make targets, services and settings that no page tells of."""
    text = "\n".join(page.read_text() for page in pages())
    for target in DEFINED.findall((ROOT / "Makefile").read_text()):
        if f"make {target}" not in text:
            yield f"make {target} is in no page"
    for folder in ROOT.iterdir():
        if (folder / "manage.py").exists() and not (folder / "README.md").exists():
            yield f"{folder.name} has no README.md"
    settings = ROOT / "docs" / "settings.md"
    if not settings.exists() or settings.read_text() != document():
        yield "docs/settings.md is not what the settings declare: make docs"


def main() -> int:
    faults = [*dead_links(), *unknown_targets(), *undocumented()]
    print("\n".join(faults), end="\n" if faults else "")
    return int(bool(faults))
