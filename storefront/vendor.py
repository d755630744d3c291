"""Copies what browsers load from node_modules into the shop's static files: no CDN, nothing fetched at run
time.

Run after `npm ci --ignore-scripts` in this folder; it may be run again at will.
"""

from __future__ import annotations

import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
STATIC = HERE / "shop" / "static" / "vendor"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "@fontsource-variable/figtree/files/figtree-latin-wght-normal.woff2": "figtree.woff2",
    "@fontsource-variable/figtree/LICENSE": "figtree.LICENSE.txt",
}


def main() -> None:
    STATIC.mkdir(parents=True, exist_ok=True)
    for source, target in FILES.items():
        shutil.copyfile(MODULES / source, STATIC / target)


if __name__ == "__main__":
    main()
