"""Which services the shop has, as the stack files write them."""

from __future__ import annotations

from collections.abc import Mapping

from local.data import SERVICES

WEBS = (*SERVICES, "storefront")
SIGNERS = (*WEBS, "autoscale")
"""who has a key to prove itself with"""
WITH_JOBS = ("auth", "catalog", "checkout", "reco")
WITH_STANDBY = ("auth", "catalog", "checkout")
FOLDERS = {name: f"{name}_svc" for name in SERVICES} | {"storefront": "storefront"}
SCALABLE = (*WEBS, *(f"{name}-worker" for name in WITH_JOBS), "inner")
"""what a person or the autoscaler may give more replicas; the rest is one of a kind, or one per node"""

AUTOSCALED = "autoscale.enabled"
"""the label by which the autoscaler knows what it may scale"""

__all__ = ["AUTOSCALED", "FOLDERS", "SCALABLE", "SERVICES", "SIGNERS", "WEBS", "WITH_JOBS", "WITH_STANDBY"]


def autoscaled(labels: Mapping[str, str]) -> bool:
    """Whether the autoscaler takes a service with these labels for its own."""
    return labels.get(AUTOSCALED, "").strip().lower() in {"true", "1", "yes", "on"}


def processes_of(service: str) -> tuple[str, ...]:
    """Return the services that run the image of this one: `catalog` and `catalog-background`, say."""
    if service == "gateway":
        return ("gateway", "inner", "health")
    names = [service]
    names += [f"{service}-background"] if service in SERVICES else []
    names += [f"{service}-worker"] if service in WITH_JOBS else []
    return (*names, "reco-beat") if service == "reco" else tuple(names)
