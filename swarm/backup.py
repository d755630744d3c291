"""`make backup TO=shop.tar`: everything that the shop keeps, as one file, while it goes on selling."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker.types import Mount

from swarm import archive, jobs
from swarm.admin import run_manage
from swarm.cluster import Cluster
from swarm.jobs import USER
from swarm.options import BadOption
from swarm.rollout import Say
from swarm.shop import SERVICES

MAX_PARALLEL = 2
MOUNT_PATH = "/backup"


def backup(cluster: Cluster, to: str, say: Say = print) -> None:
    """One job per service, each a snapshot of its databases. Failed if one did not end well: no file then."""
    if not to:
        raise BadOption("Say where to: make backup TO=/backups/shop.tar.")
    target = Path(to).expanduser().absolute()
    if target.exists():
        raise BadOption(f"{target} is there already: choose another name.")
    if not target.parent.is_dir():
        raise BadOption(f"{target.parent} is no folder.")
    began = time.monotonic()
    jobs.clean_up(cluster)
    at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with working_folders(target.parent) as folders:
        with ThreadPoolExecutor(MAX_PARALLEL) as pool:
            for lines in pool.map(lambda name: _backup_service(cluster, name, folders[name]), SERVICES):
                say("\n".join(f"  {line}" for line in lines))
        manifest = archive.pack(folders, target, stack=cluster.stack, at=at)
    target.chmod(0o600)  # it holds addresses and password hashes
    documents = sum(manifest.services.values())
    size = target.stat().st_size / 1e6
    say(f"{target}: {documents:,} documents, {size:,.1f} MB, after {time.monotonic() - began:.0f} s.")


def _backup_service(cluster: Cluster, service: str, folder: Path) -> list[str]:
    return run_manage(
        cluster, service, ["backup", "--to", MOUNT_PATH], mounts=[bind_mount(folder)], on_this_node=True
    )


def bind_mount(folder: Path, *, read_only: bool = False) -> Mount:
    return Mount(MOUNT_PATH, str(folder), type="bind", read_only=read_only)


@contextlib.contextmanager
def working_folders(beside: Path) -> Iterator[dict[str, Path]]:
    """Return an empty folder for each service, which its job may write to and nobody else may enter."""
    outer = Path(tempfile.mkdtemp(prefix=".hivemart-", dir=beside))
    try:
        folders = {name: outer / name for name in SERVICES}
        for folder in folders.values():
            folder.mkdir()
            if os.geteuid() == 0:
                os.chown(folder, int(USER), int(USER))
            else:
                folder.chmod(0o777)  # the folder around it lets only us in
        yield folders
    finally:
        shutil.rmtree(outer, ignore_errors=True)
