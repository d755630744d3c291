"""What browsers load, copied out of node_modules."""

import json

import pytest
from conftest import ROOT

from local.vendor import VENDORED, Vendored

PAGE = Vendored("shop", "static/vendor", {"lib/dist/lib.js": "lib.js", "lib/LICENSE": "lib.LICENSE.txt"})


@pytest.fixture
def root(tmp_path):
    module = tmp_path / "shop" / "node_modules" / "lib"
    (module / "dist").mkdir(parents=True)
    (module / "dist" / "lib.js").write_text("one()")
    (module / "LICENSE").write_text("MIT")
    return tmp_path


def test_files_are_copied_once(root):
    first, again = PAGE.copy(root), PAGE.copy(root)

    assert (first, again) == (["lib.js", "lib.LICENSE.txt"], [])
    assert (root / "shop" / "static" / "vendor" / "lib.js").read_text() == "one()"


def test_a_new_version_replaces_the_old_one(root):
    PAGE.copy(root)
    (root / "shop" / "node_modules" / "lib" / "dist" / "lib.js").write_text("two()")

    assert PAGE.copy(root) == ["lib.js"]
    assert (root / "shop" / "static" / "vendor" / "lib.js").read_text() == "two()"


def test_a_missing_package_is_reported(root):
    (root / "shop" / "node_modules" / "lib" / "LICENSE").unlink()

    with pytest.raises(FileNotFoundError, match="LICENSE"):
        PAGE.copy(root)


@pytest.mark.parametrize("vendored", VENDORED, ids=lambda vendored: vendored.project)
def test_every_npm_asset_is_copied_with_its_licence(vendored):
    wanted = json.loads((ROOT / vendored.project / "package.json").read_text())["dependencies"]

    for package in wanted:
        files = [source for source in vendored.files if source.startswith(f"{package}/")]
        assert len(files) > 1
        assert f"{package}/LICENSE" in files
