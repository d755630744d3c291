"""Looks for secret values where none may be: in what Docker tells, in image layers, in logs.

A value is looked for as it is and in base64. Of a value with several parts (a configuration, a connection
string) each part that could only be a secret is looked for: 20 characters or more, letters and digits.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.swarm.stack import Stack

PART = re.compile(rb"[A-Za-z0-9+/=_.$,-]{20,}")


def patterns(values: Iterable[bytes]) -> list[bytes]:
    """Return the patterns to look for, one a line."""
    found: set[bytes] = set()
    for value in values:
        parts = [part for part in PART.findall(value) if _is_secret(part)]
        found.update(parts)
        for whole in (value, value.strip(), *parts):
            found.add(base64.b64encode(whole))
            found.add(base64.urlsafe_b64encode(whole).rstrip(b"="))
    return sorted(found)


def _is_secret(part: bytes) -> bool:
    return bool(re.search(rb"[0-9]", part) and re.search(rb"[A-Za-z]", part))


def hits(stream: Iterable[bytes], wanted: Iterable[bytes]) -> int:
    """How many lines of the stream hold a pattern. grep looks: its automaton reads a GB in seconds."""
    reading, writing = os.pipe()
    command = ["grep", "--text", "--count", "--fixed-strings", f"--file=/dev/fd/{reading}"]
    with subprocess.Popen(  # noqa: S603 -- our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[reading]
    ) as grep:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:  # never a file: the patterns are the secrets
            pipe.write(b"\n".join(wanted))
        assert grep.stdin is not None
        assert grep.stdout is not None
        feeding = threading.Thread(target=_feed, args=(stream, grep.stdin))
        feeding.start()
        counted = grep.stdout.read()
        feeding.join()
    return int(counted)


def _feed(stream: Iterable[bytes], into: Any) -> None:
    with into:
        for chunk in stream:
            into.write(chunk)


# -- where they are


def values(stack: Stack) -> dict[str, bytes]:
    """Every secret of the stack by its name, read in a container that has them all, for a moment."""
    with _holder(stack) as container:
        _, archive = container.exec_run(["tar", "-C", "/run/secrets", "-chf", "-", "."], stream=False)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = [member for member in tar.getmembers() if member.isfile()]
        return {file.name.removeprefix("./"): tar.extractfile(file).read() for file in files}  # type: ignore[union-attr]


@contextmanager
def _holder(stack: Stack) -> Iterator[Any]:
    """Return a service that has every secret and does nothing; nobody else can be asked for them."""
    from docker.types import ContainerSpec, RestartPolicy, SecretReference, TaskTemplate

    cluster = stack.cluster
    image = cluster.service("redis")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    found = cluster.api.secrets(filters={"label": f"hivemart.stack={cluster.stack}"})
    assert found, "the stack has no secrets"
    references = [SecretReference(raw["ID"], raw["Spec"]["Name"]) for raw in found]
    holds = ContainerSpec(image, command=["sleep", "300"], secrets=references, user="0:0", init=True)
    template = TaskTemplate(
        holds,
        restart_policy=RestartPolicy(condition="none"),
        placement={"Constraints": [f"node.id == {cluster.node_id}"]},
    )
    made = cluster.api.create_service(template, f"{cluster.stack}_secret-search")
    try:
        name = {"label": f"com.docker.swarm.service.id={made['ID']}"}
        stack.until(lambda: stack.docker().containers.list(filters=name), 60, "a container with the secrets")
        yield stack.docker().containers.list(filters=name)[0]
    finally:
        cluster.api.remove_service(made["ID"])


# -- where they may not be


def told_by_docker(stack: Stack) -> bytes:
    """Everything that `docker inspect` says of the stack and of its nodes."""
    api, cluster = stack.docker().api, stack.cluster
    mine = {"label": f"com.docker.stack.namespace={cluster.stack}"}
    own = {"label": f"hivemart.stack={cluster.stack}"}
    told: list[Any] = [api.info(), api.nodes(), api.tasks()]
    told += [api.inspect_service(service["ID"]) for service in api.services(filters=mine)]
    told += [api.inspect_container(each["Id"]) for each in api.containers(all=True, filters=mine)]
    told += [api.inspect_image(image) for image in images(stack)]
    told += [api.history(image) for image in images(stack)]
    told += [api.inspect_network(network["Id"]) for network in api.networks(filters=mine)]
    configs = [api.inspect_config(config["ID"]) for config in api.configs(filters=own)]
    told += [configs, api.secrets(filters=own), api.volumes(filters=mine)]
    plain = [base64.b64decode(config["Spec"]["Data"]) for config in configs]
    return b"\n".join([json.dumps(told).encode(), *plain])


def images(stack: Stack) -> list[str]:
    """Every image that the stack runs."""
    specs = [service["Spec"]["TaskTemplate"] for service in stack.cluster.services().values()]
    return sorted({spec["ContainerSpec"]["Image"] for spec in specs})


def layers(stack: Stack) -> Iterator[bytes]:
    """All images as `docker save` writes them: shared layers once, nothing compressed."""
    command = ["nice", "docker", "--host", stack.hosts[0], "save", *images(stack)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as save:  # noqa: S603 -- our own command
        assert save.stdout is not None
        yield from iter(lambda: save.stdout.read(1 << 20), b"")  # type: ignore[union-attr]
    assert save.returncode == 0, "docker save failed"


def logs(stack: Stack, tail: int | str = "all") -> Iterator[bytes]:
    """All that the stack's containers of this node have written, the ended ones too."""
    mine = {"label": f"com.docker.stack.namespace={stack.given['STACK']}"}
    for container in stack.docker().containers.list(all=True, filters=mine):
        read: Callable[..., bytes] = container.logs
        yield read(stdout=True, stderr=True, tail=tail) + b"\n"
