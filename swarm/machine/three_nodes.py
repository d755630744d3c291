"""A Swarm of three nodes inside one machine: three containers that each run a dockerd of their own.

    python -m swarm.machine.three_nodes up [IMAGE…]     start them, load these images, make the Swarm
    python -m swarm.machine.three_nodes down            remove all of it

For tests and for trying things out; it needs root and Docker on this machine. Ports of the nodes are
published on 127.0.0.1 only. The nodes' sockets lie in a folder that only their owner can enter, so that
`DOCKER_HOST=unix://…/node1/docker.sock` speaks to the first of them.

Images are unpacked once: the other nodes get hard links to the files, which no engine changes in place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException

from local import ports

BUILD = Path(__file__).parent / "node"
BASE_IMAGE = os.environ.get("BASE_IMAGE") or "debian:bookworm-slim"
SUBNET = os.environ.get("NODES_SUBNET") or "172.30.213"
TIMEOUT_SECONDS = 60.0  # for what takes two or three
LOAD_SECONDS = 600.0
# Everything but SYS_RESOURCE, which a confined machine refuses: `--privileged` would ask for it.
CONTAINER_OPTIONS = (
    *("--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--cgroupns", "host"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--security-opt", "systempaths=unconfined", "--device-cgroup-rule", "a *:* rwm"),
    *("--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
)


class NodesFailed(Exception):
    """The text is for the person at the terminal."""


def docker_command(*arguments: str, seconds: float = TIMEOUT_SECONDS, check: bool = True) -> str:
    """Return the output of `docker …` on this machine. NodesFailed when it ends badly, or does not end."""
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NodesFailed(
            f"docker {' '.join(arguments[:3])} … did not end within {seconds:.0f} s."
        ) from error
    if check and done.returncode:
        raise NodesFailed(f"docker {' '.join(arguments[:3])} …: {done.stderr.strip()[-600:]}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Node:
    """One of the machines."""

    name: str
    container: str
    address: str
    socket: Path
    http: int
    https: int

    @property
    def docker_host(self) -> str:
        return f"unix://{self.socket}"

    def run(self, *arguments: str, seconds: float = TIMEOUT_SECONDS, check: bool = True) -> str:
        """`docker …` on this node."""
        return docker_command("--host", self.docker_host, *arguments, seconds=seconds, check=check)

    def answers(self) -> bool:
        try:
            return bool(self.run("version", "-f", "{{.Server.Version}}", seconds=5, check=False))
        except NodesFailed:
            return False


class ThreeNodes:
    """The machines of one name; nothing of them is left after `down`."""

    def __init__(self, name: str = "hivemart-nodes", *, say: Callable[[str], None] = print) -> None:
        self._name, self._say = name, say
        self._folder = Path(tempfile.gettempdir()) / f"{name}.{os.getuid()}"
        self._nodes: list[Node] = []

    @property
    def nodes(self) -> list[Node]:
        """All three, whether they are alive or not."""
        return list(self._nodes)

    # -- their life

    def up(self, images: Sequence[str] = ()) -> list[Node]:
        """Three engines, each with these images of this machine; no Swarm yet."""
        self.down()
        began = time.monotonic()
        image = self._image()
        self._folder.mkdir(mode=0o700)
        docker_command("network", "create", "--subnet", f"{SUBNET}.0/24", self._name)
        docker_command("volume", "create", self._name)
        free = ports.free(6)
        self._nodes = [self._node(number, free[2 * number - 2], free[2 * number - 1]) for number in (1, 2, 3)]
        first, *others = self._nodes
        self._start(first, image)
        self._load(first, images)
        if images:
            self._share(first, others)
        for node in others if images else self._nodes[1:]:
            self._start(node, image)
        self._until(lambda: all(node.answers() for node in self._nodes), "three engines that answer")
        self._say(f"three engines with {len(images)} images, after {time.monotonic() - began:.1f} s")
        return self.nodes

    def join(self, *, managers: Sequence[int] = (1, 2, 3)) -> None:
        """One Swarm of the three; the first of `managers` makes it and leads it, the others are workers."""
        began = time.monotonic()
        leader = self._nodes[managers[0] - 1]
        options = ("--advertise-addr", leader.address, "--task-history-limit", "5")
        leader.run("swarm", "init", *options)
        for number, node in enumerate(self._nodes, start=1):
            if node is leader:
                continue
            role = "manager" if number in managers else "worker"
            token = leader.run("swarm", "join-token", "-q", role)
            node.run(
                "swarm", "join", "--advertise-addr", node.address, "--token", token, f"{leader.address}:2377"
            )
        ready = lambda: leader.run("node", "ls", "-f", "membership=accepted", "-q").count("\n") == 2  # noqa: E731
        self._until(ready, "three nodes in the Swarm")
        self._say(f"one Swarm of three, after {time.monotonic() - began:.1f} s")

    def down(self) -> None:
        """Remove the machines, their network, their disks and their sockets; safe to run at any time."""
        names = docker_command("ps", "-aq", "--filter", f"label={self._name}", check=False).split()
        if names:
            docker_command("rm", "-f", "-v", *names, check=False)
        docker_command("network", "rm", self._name, check=False)
        docker_command("volume", "rm", "-f", self._name, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)
        _remove_groups(self._name)
        self._nodes = []

    def kill(self, node: Node) -> None:
        """As if its power were cut: the engine and every container on it end at once."""
        docker_command("kill", "-s", "KILL", node.container)

    def revive(self, node: Node) -> None:
        """Power is back; what was on its disk still is."""
        docker_command("start", node.container)
        self._until(node.answers, f"{node.name} to answer again")

    # -- how

    def _image(self) -> str:
        """Return the machines' image, built if it is not there: its tag is a hash of what it is made of."""
        content = b"".join(file.read_bytes() for file in sorted(BUILD.iterdir()))
        base = docker_command("image", "inspect", "-f", "{{.Id}}", BASE_IMAGE)
        tag = f"hivemart-node:{hashlib.sha256(base.encode() + content).hexdigest()[:12]}"
        if not docker_command("image", "inspect", "-f", "{{.Id}}", tag, check=False):
            self._say("building the machines' image, with an engine in it")
            options = ("--quiet", "--build-arg", f"BASE_IMAGE={BASE_IMAGE}", "--tag", tag)
            docker_command("build", *options, str(BUILD), seconds=LOAD_SECONDS)
        return tag

    def _node(self, number: int, http: int, https: int) -> Node:
        name = f"node{number}"
        socket = self._folder / name / "docker.sock"
        return Node(name, f"{self._name}-{number}", f"{SUBNET}.1{number}", socket, http, https)

    def _start(self, node: Node, image: str) -> None:
        node.socket.parent.mkdir(mode=0o700)
        published = (f"127.0.0.1:{node.http}:80", f"127.0.0.1:{node.https}:443")
        docker_command(
            *("run", "--detach", "--name", node.container, "--hostname", node.name, "--label", self._name),
            *("--network", self._name, "--ip", node.address, *CONTAINER_OPTIONS),
            *("--volume", f"{self._name}:/nodes", "--volume", f"{node.socket.parent}:/outside"),
            *("--env", f"NODE={node.name}", "--env", f"CGROUP={self._name}/{node.name}"),
            *(part for port in published for part in ("--publish", port)),
            image,
        )

    def _load(self, node: Node, images: Sequence[str]) -> None:
        self._until(node.answers, f"{node.name} to answer")
        if not images:
            return
        load = ["docker", "--host", node.docker_host, "load", "--quiet"]
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as save:
            done = subprocess.run(
                load, stdin=save.stdout, capture_output=True, text=True, timeout=LOAD_SECONDS, check=False
            )
        if save.returncode or done.returncode:
            raise NodesFailed(f"The images cannot be loaded: {done.stderr.strip()[-400:]}")

    def _share(self, first: Node, others: Sequence[Node]) -> None:
        """Give the images of the first node to the others, without unpacking them again."""
        docker_command("stop", first.container)
        names = " ".join(node.name for node in others)
        script = (
            f"cd /nodes && for node in {names}; do mkdir -p $node && chmod 711 $node"
            f" && cp -al {first.name}/image {first.name}/overlay2 $node/; done"
        )
        volume = ("--volume", f"{self._name}:/nodes")
        docker_command("run", "--rm", *volume, BASE_IMAGE, "sh", "-c", script, seconds=LOAD_SECONDS)
        docker_command("start", first.container)

    def _until(self, reached: Callable[[], bool], what: str, seconds: float = TIMEOUT_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                raise NodesFailed(f"Waited {seconds:.0f} s for {what}.{self._last_words()}")
            time.sleep(0.3)

    def _last_words(self) -> str:
        words = [docker_command("logs", "--tail", "4", node.container, check=False) for node in self._nodes]
        return "\n".join(["", *filter(None, words)])


def _remove_groups(name: str) -> None:
    """Remove the engines' control groups, which outlive them."""
    for top in Path("/sys/fs/cgroup").glob(f"**/{name}"):
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                continue


@contextmanager
def three_nodes(images: Sequence[str], *, managers: Sequence[int] = (1, 2, 3)) -> Iterator[ThreeNodes]:
    """Return a Swarm of three for the length of the block."""
    made = ThreeNodes()
    try:
        made.up(images)
        made.join(managers=managers)
        yield made
    finally:
        made.down()


def main(arguments: Sequence[str]) -> int:
    verb, *images = arguments or ["help"]
    made = ThreeNodes()
    try:
        docker.from_env().ping()
        if verb == "up":
            made.up(images)
            made.join()
            for node in made.nodes:
                print(f"{node.name}  DOCKER_HOST={node.docker_host}  http {node.http}  https {node.https}")
        elif verb == "down":
            made.down()
        else:
            print(__doc__)
            return 0 if verb == "help" else 2
    except (NodesFailed, DockerException) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
