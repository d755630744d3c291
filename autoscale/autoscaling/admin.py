"""The autoscaler's page: replicas against demand, decisions, nodes; pause, limits, the kill switch."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse

from autoscaling.clients.peers import NoPeer
from autoscaling.container import dependencies
from autoscaling.domain import BadOverride
from autoscaling.engine import EngineDown, Refused
from chassis.admin import site

READ, WRITE = "autoscale.service.read", "autoscale.service.write"
AWAY = {
    "mode": "away",
    "services": [],
    "nodes": [],
    "decisions": [],
    "faults": {},
    "points": {},
    "hold": False,
}

site.index_template = "autoscaling/board.html"
site.index_title = "Autoscaler"


def board(request: HttpRequest) -> list[Any]:
    """Return what the page shows before its script asks for more, for the index template's widgets."""
    if not request.user.has_perm(READ):
        return []
    state = {**_state(0.0), "points": {}, "may_write": request.user.has_perm(WRITE)}
    try:
        overrides = dependencies().telling.overrides()
    except EngineDown:
        return [state]
    return [
        {
            **state,
            "hold": overrides.hold,
            "services": [_as_told(row, overrides.of(row["service"])) for row in state["services"]],
        }
    ]


def _as_told(row: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
    """Show an override that is a moment old before the loop's next round knows of it."""
    limits: dict[str, Any] = {name: told[name] for name in ("min", "max") if name in told}
    return {**row, **limits, "paused": row["paused"] or "paused" in told}


def state_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Return the state as JSON, with the points after `?since=`."""
    try:
        since = float(request.GET.get("since", "0"))
    except ValueError:
        since = 0.0
    return JsonResponse(_state(since), headers={"Cache-Control": "no-store"})


def _state(since: float) -> dict[str, Any]:
    try:
        return dependencies().peers.newest(since)
    except NoPeer:
        return AWAY


def change_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Return a person's word, by POST; back to the page with what became of it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        messages.success(request, _change(request))
    except BadOverride as error:
        messages.error(request, str(error))
    except (EngineDown, Refused):
        messages.error(request, "Docker does not answer: nothing was changed.")
    return HttpResponseRedirect("../")


def _change(request: HttpRequest) -> str:
    who = {"actor": str(request.user.pk), "actor_name": str(request.user)}
    telling, service = dependencies().telling, request.POST.get("service", "")
    action = request.POST.get("action", "")
    if action in ("hold", "release"):
        telling.hold(action == "hold", **who)
        return "Everything is held." if action == "hold" else "The autoscaler acts again."
    if service not in _known():
        raise BadOverride("There is no such service.")
    if action in ("pause", "resume"):
        telling.pause(service, action == "pause", **who)
        return f"{service} is {'paused' if action == 'pause' else 'looked after again'}."
    if action == "limit":
        telling.limit(service, _limit(request, "min"), _limit(request, "max"), **who)
        return f"The limits of {service} are changed."
    raise BadOverride("That is nothing that can be done here.")


def _known() -> set[str]:
    """Whatever the loop sees, and whatever was told of: that can be taken back though nothing is seen."""
    return {row["service"] for row in _state(0.0)["services"]} | dependencies().telling.overrides().services


def _limit(request: HttpRequest, name: str) -> int | None:
    """Empty: as the service's label says."""
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise BadOverride("Limits are whole numbers.")
    return int(text)


site.dashboard(board)
site.page("state/", state_view, title="State", permission=READ)
site.page("change/", change_view, title="Change", permission=WRITE)
