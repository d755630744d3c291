"""The loops, as the page sees them: one runs on each manager, and the leader's is the one that acts."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from autoscaling.clients.scraping import addresses, fetch


class NoPeer(Exception):
    """No loop answers."""


class Peers:
    def __init__(
        self, targets: Sequence[str], *, timeout: float = 1.5, find: Callable[..., list[str]] = addresses
    ) -> None:
        self._targets, self._timeout, self._find = targets, timeout, find

    def newest(self, since: float = 0.0) -> dict[str, Any]:
        """Return the state of the loop that acts, with the points after `since`; of any other if none does.

        Raises NoPeer.
        """
        places = self._find(self._targets)
        with ThreadPoolExecutor(max_workers=8) as pool:
            answers = pool.map(lambda place: self._one(place, since), places)
            states = [state for state in answers if state is not None]
        if not states:
            raise NoPeer
        return max(
            states, key=lambda state: (state.get("mode") not in ("follow", "blind"), state.get("at", 0))
        )

    def _one(self, place: str, since: float) -> dict[str, Any] | None:
        try:
            state = json.loads(fetch(place, f"/state?since={since}", self._timeout))
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return state if isinstance(state, dict) else None
