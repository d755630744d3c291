"""Settings of the autoscaler: the chassis' base, and what only this service needs."""

from pathlib import Path

from chassis.env import env
from chassis.settings import base

globals().update(base(service="autoscale", app="autoscaling", root=Path(__file__).resolve().parent.parent))

DOCKER_PROXY = env(
    "DOCKER_PROXY", str, "http://docker-proxy:2375", "the filtering proxy before Docker's API, any of them"
)
AUTOSCALE_STACK = env(
    "AUTOSCALE_STACK", str, "hivemart", "the stack whose services are looked after; empty: every stack's"
)
AUTOSCALE_NODE = env(
    "AUTOSCALE_NODE",
    str,
    "",
    "id of the node that this runs on; only the Raft leader's acts. Empty: always acts",
)
AUTOSCALE_EVERY = env("AUTOSCALE_EVERY", float, 2.0, "seconds between two decisions")
AUTOSCALE_LISTEN = env(
    "AUTOSCALE_LISTEN", str, "0.0.0.0:9102", "where the loop tells its state and metrics; never published"
)
AUTOSCALE_PEERS = env(
    "AUTOSCALE_PEERS", list, ["tasks.autoscale:9102"], "the loops that the page asks, `host:port`"
)
AUTOSCALE_DECISIONS = env(
    "AUTOSCALE_DECISIONS", str, "", "file of decisions as JSON lines; empty: `decisions.jsonl` in DATA_DIR"
)
NODE_AGENTS = env(
    "NODE_AGENTS",
    list,
    ["tasks.node-agent:9100"],
    "node agents, `host:port`; a name counts for all its addresses",
)
GATEWAY_FIGURES_AT = env(
    "GATEWAY_FIGURES_AT",
    list,
    ["tasks.gateway:9101", "tasks.inner:9101"],
    "the gateway's figures, `host:port`; a name counts for all its addresses",
)
