"""The one place that chooses real parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from autoscaling.clients.docker import Docker, engines
from autoscaling.clients.logs import AuditTrail
from autoscaling.clients.peers import Peers
from autoscaling.clients.scraping import Scraper
from autoscaling.policy import decide
from autoscaling.services import Autoscaler, History, Journal, Learned, Measuring, Telling
from autoscaling.services.faults import Faults
from chassis.clients import ServiceClient
from chassis.clock import now
from chassis.container import Container
from chassis.ids import new_id

COLLECTIONS: list[object] = []
BACKGROUND: list[object] = []
DOCKER_SECONDS = 3.0  # for one answer of the Docker API


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the page uses."""

    telling: Telling
    peers: Peers


def docker(*, plain: bool = False) -> Docker:
    return Docker(lambda: engines(settings.DOCKER_PROXY, DOCKER_SECONDS), plain=plain)


def audit_trail() -> AuditTrail:
    return AuditTrail(ServiceClient("logs"), clock=now, new_id=new_id)


def build() -> Dependencies:
    return Dependencies(
        telling=Telling(kept=docker(), audit=audit_trail().record),
        peers=Peers(settings.AUTOSCALE_PEERS),
    )


container = Container(build)
dependencies = container.get

READY = {"loop": lambda: dependencies().peers.newest()}
SPARE = ("loop",)


def autoscaler(*, dry_run: bool) -> tuple[Autoscaler, Measuring, Faults]:
    """Return the control loop with everything real."""
    faults = Faults()
    measuring = Measuring(faults, stack=settings.AUTOSCALE_STACK, every=settings.AUTOSCALE_EVERY)
    path = Path(settings.AUTOSCALE_DECISIONS or settings.DATA_DIR / "decisions.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Autoscaler(
        swarm=docker(plain=dry_run),
        agents=Scraper(settings.NODE_AGENTS),
        gateways=Scraper(settings.GATEWAY_FIGURES_AT),
        policy=decide,
        measuring=measuring,
        faults=faults,
        journal=Journal(path),
        history=History(),
        tell=audit_trail().decided,
        memory=Learned(path.with_name("costs.json"), writes=not dry_run),
        stack=settings.AUTOSCALE_STACK,
        node=settings.AUTOSCALE_NODE,
        dry_run=dry_run,
    )
    return made, measuring, faults
