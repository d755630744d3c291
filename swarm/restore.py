"""`make restore FROM=shop.tar`: a backup into a deployed shop that is empty; FORCE=yes: into any."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from swarm import archive, drift, jobs, maintenance, reconcile, standby
from swarm.admin import run_manage
from swarm.backup import MAX_PARALLEL, MOUNT_PATH, bind_mount, working_folders
from swarm.cluster import Cluster, Failed
from swarm.options import BadOption
from swarm.rollout import Say
from swarm.shop import SERVICES, processes_of


def restore(cluster: Cluster, source: str, force: str = "", say: Say = print) -> None:
    """Restore a backup.

    Nothing is touched before the archive and every database have been looked at. Nobody writes while the
    databases are filled, and nobody buys before stock and orders agree.
    """
    if not source:
        raise BadOption("Say what: make restore FROM=/backups/shop.tar.")
    file = Path(source).expanduser().absolute()
    jobs.clean_up(cluster)
    began = time.monotonic()
    with working_folders(file.parent if file.parent.is_dir() else Path.cwd()) as folders:
        manifest = archive.unpack(file, next(iter(folders.values())).parent)
        missing = sorted(set(SERVICES) - set(manifest.services))
        if missing:
            raise Failed(f"{file} holds nothing of {', '.join(missing)}.")
        say(f"{file.name}: the shop {manifest.stack} as it was at {manifest.at}")
        checks = ["--check", *(["--force"] if force == "yes" else [])]
        _restore_all(cluster, folders, checks, say)
        maintenance.enter(cluster, maintenance.running_processes(cluster, SERVICES), say)
        try:
            _restore_all(cluster, folders, checks, lambda _line: None)  # now that nobody writes any more
        except Failed:
            maintenance.leave(cluster, say)
            raise
        try:
            _restore_all(cluster, folders, ["--force"], say)
        except Failed as error:
            again = f"make restore FROM={source} FORCE=yes"
            raise Failed(f"{error}\nThe shop is closed and half filled. Try again: {again}") from error
    standby.restart_replication(cluster, say)
    open_shop(cluster, say)
    say(f"The shop is as it was at {manifest.at}, after {time.monotonic() - began:.0f} s.")


def open_shop(cluster: Cluster, say: Say = print) -> None:
    """Open the catalogue first, for reconciling needs it; then all the rest.

    Raises Failed, with the shop open, when something wants a person.
    """
    maintenance.leave(cluster, say, processes_of("catalog"))
    found = reconcile.run(cluster, say)
    maintenance.leave(cluster, say)
    drift.report(cluster, say)
    if found:
        raise Failed(f"The shop is open, and {found} things want a person: see the lines above.")


def _restore_all(cluster: Cluster, folders: dict[str, Path], options: list[str], say: Say) -> None:
    with ThreadPoolExecutor(MAX_PARALLEL) as pool:
        for lines in pool.map(partial(_restore_service, cluster, folders, options), SERVICES):
            say("\n".join(f"  {line}" for line in lines))


def _restore_service(
    cluster: Cluster, folders: dict[str, Path], options: list[str], service: str
) -> list[str]:
    return run_manage(
        cluster,
        service,
        ["restore", "--from", MOUNT_PATH, *options],
        mounts=[bind_mount(folders[service], read_only=True)],
        on_this_node=True,
    )
