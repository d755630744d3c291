"""`python -m local.vendor`: what browsers load, from node_modules into static files.

Pages get nothing from elsewhere. Run after `python -m local.npm`; what is there already is left alone.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.options import ROOT


@dataclass(frozen=True)
class Vendored:
    """Files of a project's node_modules by where they go: into its folder of static files."""

    project: str
    static: str
    files: Mapping[str, str]

    def copy(self, root: Path = ROOT) -> list[str]:
        """Copy what is missing or differs; return the names of those.

        Raises FileNotFoundError when it is not installed.
        """
        folder = root / self.project
        static = folder / self.static
        static.mkdir(parents=True, exist_ok=True)
        copied = []
        for source, name in self.files.items():
            origin, target = folder / "node_modules" / source, static / name
            if not target.exists() or not filecmp.cmp(origin, target, shallow=False):
                shutil.copyfile(origin, target)
                copied.append(name)
        return copied


VENDORED = (
    Vendored(
        "storefront",
        "shop/static/vendor",
        {
            "htmx.org/dist/htmx.min.js": "htmx.min.js",
            "htmx.org/LICENSE": "htmx.LICENSE.txt",
            "@fontsource-variable/figtree/files/figtree-latin-wght-normal.woff2": "figtree.woff2",
            "@fontsource-variable/figtree/LICENSE": "figtree.LICENSE.txt",
        },
    ),
    Vendored(
        "autoscale",
        "autoscaling/static/autoscaling/vendor",
        {
            "uplot/dist/uPlot.iife.min.js": "uplot.js",
            "uplot/dist/uPlot.min.css": "uplot.css",
            "uplot/LICENSE": "uplot.LICENSE.txt",
        },
    ),
)


def main() -> int:
    try:
        for vendored in VENDORED:
            vendored.copy()
    except FileNotFoundError as error:
        print(f"{error.filename} is not installed: run `make install`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
