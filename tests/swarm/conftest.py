"""A shop on this machine's Swarm, once for a run: deployed as a person would, and gone afterwards.

`SWARM_OUT` names a folder for figures and logs that is kept; `SWARM_KEEP=1` leaves the stack where it is, and
the next run takes it up.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports
from swarm.machine.three_nodes import ThreeNodes
from swarm.shop import SERVICES, WEBS, WITH_STANDBY
from tests.swarm import builds, stock
from tests.swarm.figures import Figures
from tests.swarm.running import Running
from tests.swarm.stack import EMAIL, PASSWORD, Stack
from tests.swarm.threes import DATA, REPLICAS, STANDBYS, label

NAME = os.environ.get("SWARM_STACK", "shoptest")


@pytest.fixture(scope="session")
def out() -> Iterator[Path]:
    """Where what is measured and said goes."""
    kept = os.environ.get("SWARM_OUT")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="swarm-"))
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def figures(out: Path) -> Figures:
    """Return the record of what is measured; it is printed and kept as it comes."""
    return Figures(out / "figures.json")


@pytest.fixture(scope="session")
def given() -> dict[str, str]:
    """Return the make variables of the test's stack, with free ports and our own CouchDB server."""
    http, https = ports.free(2)
    return {
        "STACK": NAME,
        "HTTP_PORT": os.environ.get("SWARM_HTTP_PORT", str(http)),
        "HTTPS_PORT": os.environ.get("SWARM_HTTPS_PORT", str(https)),
        "COUCHDB_IMAGE": "stand-in",
        "AUTH_RATE": "6000",
        "DEMO": "1",  # shoppers of these tests buy
    }


@pytest.fixture(scope="session")
def stack(out: Path, given: dict[str, str], figures: Figures) -> Iterator[Stack]:
    """Return the shop, with a few goods."""
    stack = Stack(out, given)
    try:
        came_up(stack, figures)
        stock.fill(stack)
        yield stack
    finally:
        if not os.environ.get("SWARM_KEEP"):
            stack.swarm("undeploy", DATA="delete", check=False)
            builds.remove(stack)


def came_up(stack: Stack, figures: Figures, where: str = "") -> None:
    """Images, secrets, databases, services, and a first member of staff."""
    began = time.monotonic()
    stack.swarm("images", seconds=1200)
    figures.put(f"{where}images built, s", round(time.monotonic() - began, 1))
    began = time.monotonic()
    stack.swarm("deploy")
    stack.without_autoscaler()
    stack.trust()
    stack.wait_for("ok")
    figures.put(f"{where}first deploy until /healthz is ok, s", round(time.monotonic() - began, 1))
    stack.swarm("staff", EMAIL=EMAIL, PASSWORD=PASSWORD)


@pytest.fixture(scope="session")
def load(stack: Stack) -> Iterator[Running]:
    """Twenty requests a second, from the first test that wants them until one ends it."""
    running = Running(stack, "steady", seconds=1500)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def shop(stack: Stack) -> Stack:
    """Return the stack under the name that the end-to-end tests use."""
    return stack


@pytest.fixture(scope="session")
def nodes(out, given) -> Iterator[ThreeNodes]:
    """Return the third makes the Swarm and leads it; the one-node stack goes first."""
    one = Stack(out, given)
    built = one.swarm("images", seconds=1200)
    one.swarm("undeploy", DATA="delete")
    made = ThreeNodes()
    try:
        images = sorted(set(re.findall(r"\S*hivemart-(?!build)[\w-]+:[0-9a-f]{12}", built)))
        made.up([*images, os.environ.get("BASE_IMAGE") or "debian:bookworm-slim"])
        # Where nothing is built the packages for building are not needed, only their name is looked for.
        python = next(image for image in images if "hivemart-python:" in image)
        made.nodes[DATA].run("tag", python, re.findall(r"\S*hivemart-build:[0-9a-f]{12}", built)[0])
        made.join(managers=(3, 1, 2))
        yield made
    finally:
        if not os.environ.get("SWARM_KEEP"):
            made.down()


@pytest.fixture(scope="session")
def spread(nodes, out, given, figures) -> Stack:
    """Return the shop on three nodes, two replicas of what shoppers wait for."""
    first = nodes.nodes[DATA]
    label(nodes, DATA, [*(f"{name}-couch" for name in SERVICES), "azurite", "edge"])
    label(nodes, STANDBYS, [*(f"{name}-standby" for name in WITH_STANDBY), "edge"])
    doors = {"HTTP_PORT": "80", "HTTPS_PORT": "443", "PUBLIC_URL": f"https://localhost:{first.https}"}
    stack = Stack(
        out / "nodes", {**given, **doors, "STACK": NAME}, [node.docker_host for node in nodes.nodes]
    )
    came_up(stack, figures, "three nodes: ")
    for service in WEBS:
        stack.scale(service, REPLICAS)
    for service in WEBS:
        stack.wait_running(service, REPLICAS, 120)
    stock.fill(stack)
    return stack
