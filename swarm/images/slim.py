"""`slim.py FOLDER…`: leaves out of installed packages what no service runs, and compiles the rest.

Compiled files are tied to nothing but their place (`unchecked-hash`): the image is read-only, and a copy of a
file does not keep its time.
"""

import compileall
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

TESTS = {"test", "tests"}
KEPT_IN = "django"  # django.test and others are imported by packages
ENDINGS = {".pyi", ".pxd", ".pyx", ".c", ".h", ".hpp", ".po", ".mo"}  # one language, which needs no catalogue


def slim(root: Path) -> None:
    for folder in sorted(root.rglob("*"), reverse=True):
        if folder.is_dir() and _is_spare(folder):
            shutil.rmtree(folder)
    for file in root.rglob("*"):
        if file.suffix in ENDINGS and file.is_file():
            file.unlink()
    compileall.compile_dir(root, quiet=1, workers=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def _is_spare(folder: Path) -> bool:
    return folder.name == "__pycache__" or (folder.name in TESTS and KEPT_IN not in folder.parts)


for name in sys.argv[1:]:
    slim(Path(name))
