"""How good lists are, and what follows: whether a model may serve, and whether staff should look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """Measured on the newest tenth of the visits, full ranking over the whole catalogue."""

    ndcg_at_10: float = 0.0
    hit_rate_at_10: float = 0.0
    coverage: float = 0.0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new model and the serving one, measured on the same visits, which neither has learned from."""

    candidate: Quality
    serving: Quality


def quality_alert(
    quality: Quality, before: Sequence[Quality], *, share: float = 0.8, enough: int = 30
) -> str:
    """Says so when the lists are clearly worse than those of the trainings before (their median)."""
    known = sorted(one.ndcg_at_10 for one in before if one.visits >= enough)
    if not known or quality.visits < enough:
        return ""
    usual = known[len(known) // 2]
    if quality.ndcg_at_10 >= share * usual:
        return ""
    return f"quality fell: NDCG@10 {quality.ndcg_at_10:.4f}, usually {usual:.4f}"


def may_promote(compared: Comparison | None, *, enough: int = 30) -> tuple[bool, str]:
    """A new model serves only if it is not worse (by a tenth) than the serving one on the same fresh visits.

    With fewer than `enough` visits there is no verdict, and the newer one serves.
    """
    if compared is None:
        return True, "the first model"
    if compared.candidate.visits < enough:
        return True, f"too few fresh visits to compare ({compared.candidate.visits})"
    ours, theirs = compared.candidate.ndcg_at_10, compared.serving.ndcg_at_10
    if ours < 0.9 * theirs:
        return False, f"NDCG@10 {ours:.4f}, worse than the serving {theirs:.4f}"
    return True, "not worse than the serving one"
