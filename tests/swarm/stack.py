"""A deployed shop: `make deploy` and its sisters, its people, its containers, and what its databases hold."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker

from swarm import options
from swarm.cluster import Cluster
from tests.client import Client, Staff
from tests.kill.audit import Evidence, gather, read_records

ROOT = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "admin@hivemart.test", "swarms are made of many bees"
OWNER = {"orders": "checkout", "payments": "checkout", "stock": "catalog", "catalog": "catalog"}
OWNER |= {"carts": "cart", "rollups": "logs", "accounts": "auth"}
# Runs in a service's container, as its user: only it reaches its database.
READ = """
import base64, json, os, sys, urllib.request as web, zlib
from urllib.parse import urlsplit
url = urlsplit(os.environ["COUCHDB_URL"])
word = f"{url.username}:{open(os.environ['COUCHDB_PASSWORD_FILE']).read().strip()}".encode()
path = f"http://{url.hostname}:5984/{sys.argv[1]}/_all_docs?include_docs=true&conflicts=true"
head = {"Authorization": "Basic " + base64.b64encode(word).decode()}
sys.stdout.buffer.write(zlib.compress(web.urlopen(web.Request(path, headers=head), timeout=60).read(), 1))
"""


class Stack:
    """One shop on one Swarm, by the docker hosts of its nodes (this machine's by default)."""

    def __init__(self, folder: Path, env: Mapping[str, str], hosts: Sequence[str] = ()) -> None:
        self.folder, self.given = folder, dict(env)
        self.url = options.parse(self.given).public_url
        self.hosts = list(hosts) or [os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"]
        self.supplied: dict[str, int] = {}
        self.goods: list[dict[str, Any]] = []
        self._engines: dict[str, Any] = {}
        self.folder.mkdir(parents=True, exist_ok=True)

    # -- operating it

    def swarm(self, verb: str, *, check: bool = True, seconds: float = 900, **env: str) -> str:
        """Return what `python -m swarm <verb>` printed; fail with it when it failed and `check`."""
        command = [sys.executable, "-m", "swarm", verb]
        whole = {**os.environ, **self.given, **env, "DOCKER_HOST": self.hosts[0], "NO_COLOR": "1"}
        done = subprocess.run(  # noqa: S603 -- our own command
            command, cwd=ROOT, env=whole, capture_output=True, text=True, timeout=seconds, check=False
        )
        said = done.stdout + done.stderr
        with (self.folder / "swarm.log").open("a") as log:
            log.write(f"$ python -m swarm {verb} {env}\n{said}\n")
        assert not check or done.returncode == 0, f"swarm {verb}: exit code {done.returncode}\n{said[-3000:]}"
        return said

    def without_autoscaler(self) -> None:
        """Remove the autoscaler: these tests choose how many replicas there are."""
        found = self.cluster.services().get("autoscale")
        if found:
            self.cluster.api.remove_service(found["ID"])

    def trust(self) -> None:
        """From now on this process and its children trust the stack's own certificate, and no other."""
        port = urlsplit(self.url).port or 443
        file = self.folder / "certificate.pem"
        self.until(lambda: file.write_text(ssl.get_server_certificate(("127.0.0.1", port))), 60)
        os.environ["SSL_CERT_FILE"] = str(file)

    def docker(self, host: str = "") -> Any:
        """Return the engine of a node, the first by default."""
        host = host or self.hosts[0]
        if host not in self._engines:
            self._engines[host] = docker.DockerClient(base_url=host, timeout=120)
        return self._engines[host]

    @contextlib.contextmanager
    def asked_at(self, host: str) -> Iterator[None]:
        """Ask this manager first, for the length of the block."""
        before, self.hosts = self.hosts, [host, *(each for each in self.hosts if each != host)]
        try:
            yield
        finally:
            self.hosts = before

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.docker(), options.parse(self.given))

    # -- its people

    def staff(self) -> Staff:
        """Return the administrator, signed in anew: a token lasts ten minutes."""
        staff = Staff(self.url)
        staff.sign_in(EMAIL, PASSWORD)
        return staff

    def client(self) -> Client:
        return Client(self.url)

    def health(self) -> dict[str, Any]:
        """Return the body of /healthz; {} while there is none."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            with error, contextlib.suppress(ValueError):
                return dict(json.loads(error.read() or b"{}"))
        except (OSError, ValueError):
            pass
        return {}

    def wait_for(self, status: str = "ok", seconds: float = 90) -> None:
        self.until(lambda: self.health().get("status") == status, seconds, f"health {status}", self.health)

    # -- its services and containers

    def full(self, service: str) -> str:
        return f"{self.given['STACK']}_{service}"

    def scale(self, service: str, replicas: int) -> None:
        """At once and without a look; `swarm("scale")` is what people use."""
        self._write(service, Mode={"Replicated": {"Replicas": replicas}})

    @contextlib.contextmanager
    def labelled(self, services: Sequence[str], **labels: str) -> Iterator[None]:
        """Label these `autoscale.<name>` for the length of the block; no task is rolled by that."""
        before = {name: dict(self.cluster.service(name)["Spec"]["Labels"]) for name in services}
        more = {f"autoscale.{name.replace('_', '-')}": value for name, value in labels.items()}
        for name in services:
            self._write(name, Labels={**before[name], **more})
        try:
            yield
        finally:
            for name in services:
                self._write(name, Labels=before[name])

    def _write(self, service: str, **parts: Any) -> None:
        """Write parts of a service's specification; again when somebody else wrote meanwhile."""
        for left in range(9, -1, -1):
            api = (cluster := self.cluster).api
            found = cluster.service(service)
            url = api._url("/services/{0}/update", found["ID"])
            params = {"version": found["Version"]["Index"]}
            answer = api._post_json(url, data={**found["Spec"], **parts}, params=params)
            if left and "out of sequence" in answer.text:
                continue
            api._raise_for_status(answer)
            return

    def tasks(self, service: str, state: str = "running") -> list[dict[str, Any]]:
        """Those that are to run, and are in this state."""
        cluster = self.cluster
        found = cluster.tasks().get(cluster.service(service)["ID"], [])
        wanted = [task for task in found if task["DesiredState"] == "running"]
        return [task for task in wanted if task["Status"]["State"] == state]

    def containers(self, service: str) -> list[Any]:
        """Return running ones, on every node that answers."""
        found: list[Any] = []
        label = {"label": f"com.docker.swarm.service.name={self.full(service)}"}
        for host in self.hosts:
            with contextlib.suppress(docker.errors.DockerException, OSError):
                found += self.docker(host).containers.list(filters=label)
        return found

    def wait_running(self, service: str, replicas: int, seconds: float = 60) -> None:
        self.until(lambda: len(self.tasks(service)) == replicas, seconds, f"{replicas} of {service}")

    def run_in(self, service: str, *command: str) -> bytes:
        """Return standard output of a command in a container of the service."""
        container = self.containers(service)[0]
        code, (out, err) = container.exec_run(list(command), demux=True)
        assert code == 0, f"{service}: {' '.join(command)[:80]}: {(err or b'').decode()[-600:]}"
        return bytes(out or b"")

    @contextlib.contextmanager
    def stopped(self, *services: str) -> Iterator[None]:
        """Switch these off for the length of the block; all is well again after it."""
        before = {name: len(self.tasks(name)) for name in services}
        for name in services:
            self.switch_off(name)
        time.sleep(1.5)  # /healthz may be 1 s old
        try:
            yield
        finally:
            for name in services:
                self.scale(name, before[name])
            for name in services:
                self.wait_running(name, before[name])
            self.wait_for("ok")

    def switch_off(self, service: str) -> None:
        """No replica any more, and none that ends in good order."""
        self.scale(service, 0)

        def gone() -> bool:
            for container in self.containers(service):
                with contextlib.suppress(docker.errors.APIError):  # it has ended by itself
                    container.kill()
            return not self.containers(service)

        self.until(gone, 30, f"{service} to be away")

    # -- its databases

    def documents(self, database: str) -> list[dict[str, Any]]:
        """Every document but the designs; read in a container of the service that owns it."""
        owner = OWNER.get(database, "logs")  # a database for each month of events
        raw = self.run_in(owner, "python", "-c", READ, database)
        rows = json.loads(zlib.decompress(raw))["rows"]
        return [row["doc"] for row in rows if row.get("doc") and not row["id"].startswith("_design/")]

    def evidence(self, records: Sequence[Path]) -> Evidence:
        """Return what the auditor looks at."""
        return gather(self, read_records(records), self.supplied)  # type: ignore[arg-type]

    @staticmethod
    def until(
        reached: Callable[[], Any],
        seconds: float,
        what: str = "",
        state: Callable[[], Any] = lambda: "",
    ) -> None:
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError, docker.errors.DockerException):
                if reached():
                    return
            assert time.monotonic() < end, f"not {what} within {seconds:.0f} s: {state()}"
            time.sleep(0.3)
