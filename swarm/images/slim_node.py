"""`slim_node.py FOLDER`: leaves out of node_modules what no server runs: types, source maps, texts, tests."""

import shutil
import sys
from pathlib import Path

ENDINGS = (".d.ts", ".d.mts", ".d.cts", ".ts", ".map", ".md", ".markdown", ".flow", ".gyp", ".cc", ".h")


def slim(root: Path) -> None:
    for file in root.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.name.lower().endswith(ENDINGS):
            file.unlink()
    for name in ("test", "tests", "__tests__", "docs"):
        for folder in sorted(root.rglob(name), reverse=True):
            # A package may be called so: it then has its description.
            if folder.is_dir() and not (folder / "package.json").exists():
                shutil.rmtree(folder)


slim(Path(sys.argv[1]))
