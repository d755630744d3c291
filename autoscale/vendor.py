"""Copies what browsers load from node_modules into the page's static files: nothing is fetched at run time.

Run after `npm ci --ignore-scripts` in this folder; it may be run again at will.
"""

from __future__ import annotations

import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
STATIC = HERE / "autoscaling" / "static" / "autoscaling" / "vendor"
FILES = {
    "uplot/dist/uPlot.iife.min.js": "uplot.js",
    "uplot/dist/uPlot.min.css": "uplot.css",
    "uplot/LICENSE": "uplot.LICENSE.txt",
}


def main() -> None:
    STATIC.mkdir(parents=True, exist_ok=True)
    for source, target in FILES.items():
        shutil.copyfile(MODULES / source, STATIC / target)


if __name__ == "__main__":
    main()
