"""The images as Docker has them: small, without tools and secrets, and fit for a root that is read-only."""

from __future__ import annotations

import re
from typing import Any

import docker
import pytest

from swarm.images import build_all

pytestmark = pytest.mark.swarm

LARGEST = {"reco": 420, "couch": 310, "azurite": 340}  # MB; scipy and numpy here, Node there
USUAL = 300
LEFT_BEHIND = """
import glob, importlib.util, os, sys
found = [name for name in ("pip", "setuptools") if importlib.util.find_spec(name)]
found += glob.glob("/var/lib/apt/lists/*_Packages*") + glob.glob(os.path.expanduser("~root/.cache/*"))
found += [name for name in ("gcc", "npm") if os.path.exists(f"/usr/bin/{name}")]
try:
    open("/app/written", "w")
    found.append("a root that can be written to")
except OSError:
    pass
print(os.getuid(), found)
"""


@pytest.fixture(scope="module")
def images() -> dict[str, str]:
    return build_all()


@pytest.fixture(scope="module")
def engine() -> Any:
    return docker.from_env()


def test_no_image_is_built_twice(images: dict[str, str]) -> None:
    said: list[str] = []

    again = build_all(say=said.append)

    assert again == images
    assert [line for line in said if "unchanged" not in line] == []


def test_images_are_small(images: dict[str, str], engine: Any) -> None:
    sizes = {name: engine.images.get(image).attrs["Size"] / 1e6 for name, image in images.items()}

    assert {name: size for name, size in sizes.items() if size > LARGEST.get(name, USUAL)} == {}


def test_images_hold_no_secret_and_do_not_run_as_root(images: dict[str, str], engine: Any) -> None:
    for name, image in images.items():
        configuration = engine.images.get(image).attrs["Config"]

        secret = [
            entry for entry in configuration["Env"] if re.match(r"\w*(SECRET|PASSWORD|KEY|TOKEN)", entry)
        ]
        assert (name, configuration["User"], secret) == (name, "10001:10001", [])


def test_nothing_that_installs_or_builds_is_left(images: dict[str, str], engine: Any) -> None:
    for name, image in images.items():
        said = engine.containers.run(
            image,
            ["python3", "-c", LEFT_BEHIND],
            remove=True,
            read_only=True,
            cap_drop=["ALL"],
            network_mode="none",
        )

        assert (name, said.decode().strip()) == (name, "10001 []")
