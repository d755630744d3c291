"""`manage.py node_agent`: settings from the environment, as this runs without Django.

NODE_AGENT_LISTEN  host:port to answer on (0.0.0.0:9100)
CGROUP_ROOT        where the host's /sys/fs/cgroup is mounted (/sys/fs/cgroup)
PROC_ROOT          where the host's /proc is (/proc; its totals are the host's inside of a container too)
DOCKER_HOST        the Docker API (unix:///var/run/docker.sock); it is only read
NODE_NAME, NODE_ID what this node is called (the stack file says it)
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from pathlib import Path

from autoscaling.agent.cgroups import Cgroups
from autoscaling.agent.containers import Containers, OneShot
from autoscaling.agent.node import Node
from autoscaling.agent.sampling import Sampler
from autoscaling.agent.serving import Server
from autoscaling.engine import SOCKET, HttpEngine


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    host, _, port = os.environ.get("NODE_AGENT_LISTEN", "0.0.0.0:9100").rpartition(":")
    engine = HttpEngine(os.environ.get("DOCKER_HOST") or SOCKET, timeout=5.0)
    containers = Containers(engine)
    sampler = Sampler(
        node=Node(
            Path(os.environ.get("PROC_ROOT", "/proc")),
            name=os.environ.get("NODE_NAME") or socket.gethostname(),
            id=os.environ.get("NODE_ID", ""),
        ),
        containers=containers,
        cgroups=Cgroups(Path(os.environ.get("CGROUP_ROOT", "/sys/fs/cgroup"))),
        one_shot=OneShot(engine),
    )
    server = Server((host.strip("[]"), int(port)), sampler)
    stop = threading.Event()
    threading.Thread(target=containers.follow, args=(stop,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=5)
    stop.set()
    server.server_close()


if __name__ == "__main__":
    main()
