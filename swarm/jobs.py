"""One-off jobs: a service's own image, settings and secrets, with another command. They always end.

    run_job(cluster, from_running(cluster, "auth"), ["python", "manage.py", "create_staff", …], timeout=60)

gives the lines that the command printed; JobFailed says why it failed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import (
    ConfigReference,
    ContainerSpec,
    DriverConfig,
    Mount,
    NetworkAttachmentConfig,
    Placement,
    Resources,
    RestartPolicy,
    SecretReference,
    ServiceMode,
    TaskTemplate,
)

from swarm.cluster import STACK_LABEL, Cluster, Failed

JOB_LABEL = "hivemart.job"
USER = "10001"
POLL_SECONDS = 0.3
MAX_LOG_LINES = 20  # lines shown of a job that failed


class JobFailed(Failed):
    """A job ended badly, could not be placed, or took too long."""


@dataclass(frozen=True)
class MountedFile:
    """A secret or a configuration, and the file that it becomes."""

    docker_name: str
    target: str
    uid: str = USER
    mode: int = 0o400


@dataclass(frozen=True)
class JobTemplate:
    """What a job has in common with a service."""

    name: str
    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    """names or ids"""
    secrets: tuple[MountedFile, ...] = ()
    configs: tuple[MountedFile, ...] = ()
    user: str = f"{USER}:{USER}"


def from_running(cluster: Cluster, service: str) -> JobTemplate:
    """As the service runs now. Failed if it is not deployed."""
    template = cluster.service(service)["Spec"]["TaskTemplate"]
    container = template["ContainerSpec"]
    return JobTemplate(
        name=service,
        image=container["Image"],
        env=dict(line.split("=", 1) for line in container.get("Env", [])),
        networks=tuple(network["Target"] for network in template.get("Networks", [])),
        secrets=tuple(_file_of_task(raw, "SecretName") for raw in container.get("Secrets") or []),
        configs=tuple(_file_of_task(raw, "ConfigName") for raw in container.get("Configs") or []),
        user=container.get("User", ""),
    )


def from_compose(cluster: Cluster, document: Mapping[str, Any], service: str) -> JobTemplate:
    """As the stack files say (swarm/compose.py), whether it runs or not."""
    spec = document["services"][service]
    return JobTemplate(
        name=service,
        image=spec["image"],
        env={name: str(value) for name, value in spec.get("environment", {}).items()},
        networks=tuple(f"{cluster.stack}_{name}" for name in spec["networks"]),
        secrets=tuple(_file_of_compose(raw, document["secrets"]) for raw in spec.get("secrets", [])),
        configs=tuple(_file_of_compose(raw, document["configs"]) for raw in spec.get("configs", [])),
        user=spec.get("user", ""),
    )


def with_image(job: JobTemplate, image: str) -> JobTemplate:
    return replace(job, image=image)


def run_job(
    cluster: Cluster,
    job: JobTemplate,
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    secrets: Sequence[MountedFile] = (),
    networks: Sequence[str] | None = None,
    mounts: Sequence[Mount] = (),
    constraints: Sequence[str] = (),
    on_this_node: bool = False,
    user: str | None = None,
    capabilities: Sequence[str] = (),
    timeout: float = 120.0,
) -> list[str]:
    """Run a command to its end; the lines it printed. JobFailed otherwise; nothing stays behind.

    `secrets` come on top of the service's own, `networks` instead of them (those that do not exist yet are
    left out). `on_this_node`: where a folder of this machine is mounted.
    """
    wanted = job.networks if networks is None else tuple(networks)
    job = replace(
        job,
        env={**job.env, **(env or {})},
        secrets=(*job.secrets, *secrets),
        networks=_existing(cluster, wanted),
        user=job.user if user is None else user,
    )
    where = [f"node.id == {cluster.node_id}"] if on_this_node else []
    template = _task_template(cluster, job, command, mounts, [*where, *constraints], capabilities)
    name = f"{cluster.stack}_job-{job.name}-{uuid.uuid4().hex[:8]}"
    labels = {STACK_LABEL: cluster.stack, JOB_LABEL: job.name}
    created = cluster.api.create_service(
        template, name, labels=labels, mode=ServiceMode("replicated-job", replicas=1)
    )
    try:
        return _wait_for_outcome(cluster, created["ID"], f"{job.name}: {' '.join(command[-3:])}", timeout)
    finally:
        _remove(cluster, created["ID"])


def last_output(lines: Sequence[str], otherwise: str) -> str:
    """Return the last line that a command printed and did not log; `otherwise` if there is none."""
    return next((line for line in reversed(lines) if line and not line.startswith("{")), otherwise)


@contextmanager
def temporary_secret(cluster: Cluster, name: str, value: str, target: str) -> Iterator[MountedFile]:
    """Return a secret that is there for one job; it is gone afterwards."""
    full = f"{cluster.stack}_{name}_{uuid.uuid4().hex[:8]}"
    created = cluster.api.create_secret(full, value, labels={STACK_LABEL: cluster.stack, JOB_LABEL: name})
    try:
        yield MountedFile(full, target)
    finally:
        cluster.api.remove_secret(created["ID"])


def clean_up(cluster: Cluster) -> None:
    """Remove what an interrupted job left."""
    ours = {"label": [f"{STACK_LABEL}={cluster.stack}", JOB_LABEL]}
    for service in cluster.api.services(filters=ours):
        _remove(cluster, service["ID"])
    for secret in cluster.api.secrets(filters=ours):
        cluster.api.remove_secret(secret["ID"])


# -- the specification


def _task_template(
    cluster: Cluster,
    job: JobTemplate,
    command: Sequence[str],
    mounts: Sequence[Mount],
    constraints: Sequence[str],
    capabilities: Sequence[str],
) -> TaskTemplate:
    scratch = [Mount(target, None, type="tmpfs", tmpfs_size=256 << 20) for target in ("/tmp", "/data")]  # noqa: S108
    taken = {mount["Target"] for mount in mounts}
    container = ContainerSpec(
        job.image,
        command=list(command),
        env=[f"{name}={value}" for name, value in job.env.items()],
        user=job.user or None,
        mounts=[*(mount for mount in scratch if mount["Target"] not in taken), *mounts],
        secrets=[_secret_reference(cluster, each) for each in job.secrets],
        configs=[_config_reference(cluster, each) for each in job.configs],
        read_only=True,
        cap_drop=["ALL"],
        cap_add=list(capabilities) or None,
        init=True,
        stop_grace_period=int(5e9),
    )
    return TaskTemplate(
        container,
        resources=Resources(mem_limit=1 << 30),
        restart_policy=RestartPolicy(condition="none"),
        placement=Placement(constraints=list(constraints)),
        log_driver=DriverConfig("json-file", {"max-size": "10m", "max-file": "3"}),
        networks=[NetworkAttachmentConfig(network) for network in job.networks],
    )


def _secret_reference(cluster: Cluster, secret: MountedFile) -> SecretReference:
    found = cluster.api.secrets(filters={"name": secret.docker_name})
    ids = [raw["ID"] for raw in found if raw["Spec"]["Name"] == secret.docker_name]
    return SecretReference(
        ids[0], secret.docker_name, secret.target, uid=secret.uid, gid=secret.uid, mode=secret.mode
    )


def _config_reference(cluster: Cluster, config: MountedFile) -> ConfigReference:
    found = cluster.api.configs(filters={"name": config.docker_name})
    ids = [raw["ID"] for raw in found if raw["Spec"]["Name"] == config.docker_name]
    return ConfigReference(
        ids[0], config.docker_name, config.target, uid=config.uid, gid=config.uid, mode=config.mode
    )


def _file_of_task(raw: Mapping[str, Any], name: str) -> MountedFile:
    file = raw["File"]
    return MountedFile(raw[name], file["Name"], file["UID"], file["Mode"])


def _file_of_compose(raw: Mapping[str, Any], defined: Mapping[str, Mapping[str, Any]]) -> MountedFile:
    return MountedFile(
        defined[raw["source"]]["name"], raw["target"], raw.get("uid", "0"), raw.get("mode", 0o444)
    )


def _existing(cluster: Cluster, networks: Sequence[str]) -> tuple[str, ...]:
    known = {key for network in cluster.api.networks() for key in (network["Name"], network["Id"])}
    return tuple(network for network in networks if network in known)


# -- the outcome


def _wait_for_outcome(cluster: Cluster, service: str, what: str, timeout: float) -> list[str]:
    end = time.monotonic() + timeout
    status: dict[str, Any] = {}
    while time.monotonic() < end:
        tasks = cluster.api.tasks(filters={"service": service})
        status = tasks[0]["Status"] if tasks else {}
        if status.get("State") == "complete":
            return logs_of(cluster, service)
        if status.get("State") in {"failed", "rejected", "orphaned"}:
            lines = logs_of(cluster, service)[-MAX_LOG_LINES:]
            raise JobFailed("\n  ".join([f"{what} failed: {reason(status)}", *lines]))
        time.sleep(POLL_SECONDS)
    lines = logs_of(cluster, service)[-MAX_LOG_LINES:]
    raise JobFailed("\n  ".join([f"{what} did not end within {timeout:.0f} s: {reason(status)}", *lines]))


def reason(status: Mapping[str, Any]) -> str:
    """Return what Docker says of a task: its error or its state, and the exit code where there is one."""
    text = status.get("Err") or status.get("Message") or status.get("State", "no task was made")
    code = status.get("ContainerStatus", {}).get("ExitCode")
    return f"{text} (exit code {code})" if code and "exit" not in text else text


def logs_of(cluster: Cluster, service: str, *, tail: int = 2000) -> list[str]:
    """Return the last lines that a service's tasks printed."""
    try:
        parts = cluster.api.service_logs(service, stdout=True, stderr=True, tail=tail, is_tty=False)
        return b"".join(parts).decode(errors="replace").splitlines()
    except APIError:
        return []


def _remove(cluster: Cluster, service: str) -> None:
    try:
        cluster.api.remove_service(service)
    except NotFound:
        return
