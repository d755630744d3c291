"""`python -m swarm <verb>`: every verb is a module of that name; options are make variables (options.py)."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence

from docker.errors import DockerException
from requests.exceptions import RequestException

from swarm import options
from swarm.cluster import Cluster, Failed, connect
from swarm.options import BadOption

INTERRUPTED = "Stopped here; the Swarm goes on with what was requested. The same command again takes it up."


def _env(name: str) -> str:
    return os.environ.get(name, "").strip()


def _module(name: str) -> Callable[..., None]:
    """Return the function of that name in the module of that name, imported only when it is asked for."""
    return getattr(importlib.import_module(f"swarm.{name}"), name)  # type: ignore[no-any-return]


def _images(cluster: Cluster) -> None:
    importlib.import_module("swarm.deploy").build(cluster, print)


VERBS: dict[str, Callable[[Cluster], None]] = {
    "images": _images,
    "deploy": lambda cluster: _module("deploy")(cluster),
    "status": lambda cluster: _module("status")(cluster, sys.argv[2:]),
    "logs": lambda cluster: _module("logs")(cluster, _env("SERVICE"), _env("LINES"), bool(_env("FOLLOW"))),
    "scale": lambda cluster: _module("scale")(cluster, _env("SERVICE"), _env("REPLICAS")),
    "update": lambda cluster: _module("update")(cluster, _env("SERVICE"), _env("IMAGE")),
    "rollback": lambda cluster: _module("rollback")(cluster, _env("SERVICE")),
    "undeploy": lambda cluster: _module("undeploy")(cluster, _env("DATA")),
    "staff": lambda cluster: _module("staff")(cluster, _env("EMAIL"), os.environ.get("PASSWORD", "")),
    "seed": lambda cluster: _module("seed")(cluster, _env("EMAIL"), os.environ.get("PASSWORD", "")),
    "backup": lambda cluster: _module("backup")(cluster, _env("TO")),
    "restore": lambda cluster: _module("restore")(cluster, _env("FROM"), _env("FORCE")),
    "open": lambda cluster: importlib.import_module("swarm.restore").open_shop(cluster),
    "standby": lambda cluster: _module("standby")(cluster, _env("SERVICE"), _env("ANEW")),
    "promote": lambda cluster: _module("promote")(cluster, _env("SERVICE"), _env("FENCED")),
    "reconcile": lambda cluster: _module("reconcile")(cluster),
    "spike": lambda cluster: importlib.import_module("swarm.load.spike").spike(
        cluster, _env("RATE"), _env("TO"), _env("URL")
    ),
    "rotate": lambda cluster: _module("rotate")(cluster, _env("WHAT"), _env("SERVICE"), _env("OVERLAP")),
}


def main(arguments: Sequence[str]) -> int:
    """0 done, 1 it did not work, 2 it was asked for wrongly."""
    verb = arguments[0] if arguments else ""
    if verb not in VERBS or (len(arguments) > 1 and verb != "status"):
        return _say(f"python -m swarm {' | '.join(VERBS)}", 2)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left lying about
    try:
        VERBS[verb](connect(options.from_environment()))
    except BadOption as error:
        return _say(str(error), 2)
    except Failed as error:
        return _say(str(error), 1)
    except (DockerException, RequestException) as error:
        return _say(f"Docker: {error}", 1)
    except KeyboardInterrupt:
        return _say(INTERRUPTED, 130)
    return 0


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
