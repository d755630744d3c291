"""`make restore FROM=shop.tar`: a backup into a deployed shop that is empty; FORCE=yes: into any."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from swarm import archive, drift, holding, jobs, reconcile, standby
from swarm.admin import manage
from swarm.backup import AT_ONCE, INSIDE, mounted, working_folders
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
        contents = archive.unpack(file, next(iter(folders.values())).parent)
        missing = sorted(set(SERVICES) - set(contents.services))
        if missing:
            raise Failed(f"{file} holds nothing of {', '.join(missing)}.")
        say(f"{file.name}: the shop {contents.stack} as it was at {contents.at}")
        checks = ["--check", *(["--force"] if force == "yes" else [])]
        _each(cluster, folders, checks, say)
        holding.hold(cluster, holding.processes(cluster, SERVICES), say)
        try:
            _each(cluster, folders, checks, lambda _line: None)  # now that nobody writes any more
        except Failed:
            holding.open_again(cluster, say)
            raise
        try:
            _each(cluster, folders, ["--force"], say)
        except Failed as error:
            again = f"make restore FROM={source} FORCE=yes"
            raise Failed(f"{error}\nThe shop is closed and half filled. Try again: {again}") from error
    standby.follow_again(cluster, say)
    open_shop(cluster, say)
    say(f"The shop is as it was at {contents.at}, after {time.monotonic() - began:.0f} s.")


def open_shop(cluster: Cluster, say: Say = print) -> None:
    """Open the catalogue first, for reconciling needs it; then all the rest.

    Raises Failed, with the shop open, when something wants a person.
    """
    holding.open_again(cluster, say, processes_of("catalog"))
    found = reconcile.run(cluster, say)
    holding.open_again(cluster, say)
    drift.tell(cluster, say)
    if found:
        raise Failed(f"The shop is open, and {found} things want a person: see the lines above.")


def _each(cluster: Cluster, folders: dict[str, Path], options: list[str], say: Say) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for lines in pool.map(partial(_one, cluster, folders, options), SERVICES):
            say("\n".join(f"  {line}" for line in lines))


def _one(cluster: Cluster, folders: dict[str, Path], options: list[str], service: str) -> list[str]:
    return manage(
        cluster,
        service,
        ["restore", "--from", INSIDE, *options],
        mounts=[mounted(folders[service], read_only=True)],
        on_this_node=True,
    )
