"""A property that fails prints what is needed to keep its example."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parents[2]
FAILING = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_there_is_no_large_number(number):
    assert number < 1000
"""


def test_a_failing_property_prints_its_example_and_the_blob_that_repeats_it(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD")}

    ended = subprocess.run(  # noqa: S603 - our own command
        [*command, str(tmp_path)], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "number=1000" in ended.stdout
    assert "@reproduce_failure(" in ended.stdout


def test_no_property_fails_for_being_slow() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
