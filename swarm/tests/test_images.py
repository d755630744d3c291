"""The contents of the images, and what their tags depend on."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from swarm import images, requirements
from swarm.cluster import Failed

PARENTS = {"BUILD_IMAGE": "hivemart-build:1", "RUN_IMAGE": "hivemart-base:1"}


def test_a_tag_depends_on_files_names_and_parent_images() -> None:
    def tag(files: images.Files, parents: dict[str, str] = PARENTS) -> str:
        return images.ImageSpec("cart", "service.Dockerfile", files).tag(parents)

    tags = [tag({"a": b"1"}), tag({"a": b"2"}), tag({"b": b"1"}), tag({"a": b"1"}, {"RUN_IMAGE": "other"})]

    assert len(set(tags)) == 4
    assert tag({"a": b"1"}) == tags[0]
    assert all(len(one) == 12 for one in tags)


def test_the_context_is_the_same_for_the_same_content() -> None:
    one = images.ImageSpec("cart", "service.Dockerfile", {"a": b"1", "b": b"2"})
    two = images.ImageSpec("cart", "service.Dockerfile", {"b": b"2", "a": b"1"})

    assert one.context().getvalue() == two.context().getvalue()
    with tarfile.open(fileobj=one.context()) as tar:
        assert tar.getnames() == ["Dockerfile", "a", "b"]


def test_an_image_holds_only_runtime_files(tmp_path: Path) -> None:
    for name in ("app.py", "tests/test_app.py", ".env", "__pycache__/app.pyc", "README.md", "page/a.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")

    assert images.read_tree(tmp_path, "service") == {"service/app.py": b"x", "service/page/a.html": b"x"}


@pytest.mark.parametrize("name", sorted(images.project_folders()))
def test_a_service_is_installed_whole_from_the_shared_and_its_own_part(name: str) -> None:
    folder, every = images.project_folders()[name], images.project_folders().values()

    shared, own = requirements.common_packages(every), requirements.specific_packages(folder, every)

    assert not set(shared) & set(own)
    assert {**shared, **own} == dict(requirements.locked(images.ROOT / folder / "requirements.txt"))


def test_every_requirement_has_its_hashes() -> None:
    shared = requirements.to_text(requirements.common_packages(images.project_folders().values())).decode()

    assert shared.count("==") > 40
    assert all("--hash=sha256:" in entry for entry in shared.replace("\\\n", "").splitlines())


def test_no_image_holds_secrets_tests_or_another_service() -> None:
    files = images.service_spec("catalog").files

    assert "service/manage.py" in files
    assert "chassis/chassis/gunicorn.conf.py" in files
    assert not [path for path in files if "/tests/" in path or "/testing/" in path or "secret" in path]
    assert not [path for path in files if "accounts" in path]


def test_an_unknown_image_is_refused_with_the_known_names() -> None:
    with pytest.raises(Failed, match=r"There is no image shop; there are: auth, .*, gateway, couch"):
        images.build_all(["shop"])


class Docker:
    """As much of Docker's client as a build needs: it has some images, and prints the given build output."""

    def __init__(self, *says: dict[str, str]) -> None:
        self.api, self.says, self.asked = self, says, []

    def inspect_image(self, reference: str) -> dict[str, object]:
        from docker.errors import ImageNotFound

        raise ImageNotFound(reference)

    def build(self, **asked: object) -> tuple[dict[str, str], ...]:
        self.asked.append(asked)
        return self.says


def test_a_build_that_fails_shows_its_last_lines() -> None:
    docker = Docker(*({"stream": f"line {n}\n"} for n in range(40)), {"error": "pip ended with 1"})
    builder = images.Builder(docker, say=lambda line: None)

    with pytest.raises(Failed) as failed:
        builder.build(images.ImageSpec("cart", "service.Dockerfile", {}), PARENTS)

    lines = str(failed.value).splitlines()
    assert lines[0] == "The image of cart cannot be built. Its last lines:"
    assert (lines[1], lines[-2:]) == ("line 16", ["line 39", "pip ended with 1"])


def test_a_registry_is_the_prefix_of_every_reference() -> None:
    image_spec = images.ImageSpec("cart", "service.Dockerfile", {})

    reference = images.Builder(None, registry="registry.example:5000/shop").reference(image_spec, PARENTS)

    assert reference == f"registry.example:5000/shop/hivemart-cart:{image_spec.tag(PARENTS)}"
