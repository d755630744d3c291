"""`python -m local run`, and words to a shop that runs: `staff`, `stop NAME`, `start NAME`, `status`, `logs`.

`make run` and `make staff` are the front doors; options come from the environment (`local/options.py`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence

from local import options, ports, subprocesses
from local.binaries import MissingTool
from local.data import DataFolder, InvalidData
from local.options import BadOption
from local.ports import PortTaken
from local.supervisor import StartFailed


def run(_: Sequence[str]) -> int:
    """Run a shop until Ctrl-C."""
    from local import shop  # what only this command needs

    chosen = options.from_environment()
    if "MAKELEVEL" in os.environ:  # a killed `make run` must not leave a shop behind
        subprocesses.end_with_parent()
    DataFolder(chosen.data).check_free()
    ports.check(chosen.port)  # before a folder is made for a shop that cannot start
    folder = DataFolder.open(chosen.data)
    folder.lock()
    return asyncio.run(shop.run(chosen, folder))


def staff(_: Sequence[str]) -> int:
    """Make an account with every permission: EMAIL and PASSWORD from the environment."""
    from local import staff as accounts

    chosen = options.from_environment()
    email = os.environ.get("EMAIL", "")
    try:
        url = accounts.create(
            chosen.data,
            chosen.port if os.environ.get("PORT") else None,
            email,
            os.environ.get("PASSWORD", ""),
        )
    except accounts.StaffFailed as error:
        return _say(str(error))
    print(f"{email} may now sign in at {url}/admin/ and do everything there.")
    return 0


def stop(names: Sequence[str]) -> int:
    """End the named processes of a running shop and keep them stopped."""
    folder = DataFolder(options.from_environment().data)
    pids = (folder.running() or {}).get("pids", {})
    for name in names:
        if name not in pids:
            return _say(f"No process named {name} runs; there are: {', '.join(sorted(pids)) or 'none'}.")
        (folder.path / "stopped" / name).touch()
        subprocesses.signal_group(pids[name], signal.SIGTERM)
    return 0


def start(names: Sequence[str]) -> int:
    """Start the named processes again."""
    folder = DataFolder(options.from_environment().data)
    for name in names:
        (folder.path / "stopped" / name).unlink(missing_ok=True)
    return 0


def status(_: Sequence[str]) -> int:
    """Print the name and process id of every process."""
    run = DataFolder(options.from_environment().data).running() or {}
    for name, pid in sorted(run.get("pids", {}).items()):
        print(f"{name:<20} {pid}")
    return 0 if run.get("pids") else 1


def logs(_: Sequence[str]) -> int:
    """Follow what the processes of the running shop say, until Ctrl-C."""
    from local import log_follower

    folder = DataFolder(options.from_environment().data)
    if not folder.is_locked():
        deployed = "of a deployed shop: make logs SERVICE=catalog, or SERVICE=all"
        return _say(f"No shop runs on DATA={folder.path}: start it with `make run`; {deployed}.")
    return log_follower.follow(folder.path / "log")


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run, "staff": staff, "stop": stop, "start": start, "status": status, "logs": logs,
}  # fmt: skip


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def main(arguments: Sequence[str]) -> int:
    command, *rest = arguments or ["run"]
    if command not in COMMANDS:
        return _say(f"There is no command {command}: {', '.join(COMMANDS)}.")
    try:
        return COMMANDS[command](rest)
    except (BadOption, InvalidData, PortTaken, MissingTool, StartFailed) as error:
        return _say(str(error))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
