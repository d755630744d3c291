"""`slim.py FOLDER…`: leaves out of installed packages what no service runs, and compiles the rest.

Compiled files are checked by nothing but their place (`unchecked-hash`): the image is read-only, and a copy
of a file does not keep its time.
"""

import compileall
import py_compile
import shutil
import sys
from pathlib import Path

TESTS = {"test", "tests"}
# Needed at run time in spite of its name: numpy.testing is imported by scipy, and is called differently.
KEPT_IN = ("django",)
TEXTS = {".pyi", ".pxd", ".pyx", ".c", ".h", ".hpp", ".po"}


def slim(root: Path) -> None:
    for folder in sorted(root.rglob("*"), reverse=True):
        if folder.is_dir() and (folder.name == "__pycache__" or _is_test(folder)):
            shutil.rmtree(folder)
    for file in root.rglob("*"):
        if file.suffix in TEXTS and file.is_file():
            file.unlink()
    compileall.compile_dir(
        root, quiet=1, workers=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


def _is_test(folder: Path) -> bool:
    return folder.name in TESTS and not any(part in KEPT_IN for part in folder.parts)


for name in sys.argv[1:]:
    slim(Path(name))
