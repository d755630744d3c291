"""How good lists are, and what follows: whether a model may serve, and whether staff should look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SURE = 2.0  # standard errors: worse by more than that is no chance
FEWEST = 0.5  # share of the serving model's lists that a new one must have of each kind


@dataclass(frozen=True, slots=True)
class Quality:
    """Measured on the newest tenth of the visits, full ranking over the whole catalogue."""

    ndcg_at_10: float = 0.0
    hit_rate_at_10: float = 0.0
    coverage: float = 0.0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new model and the serving one, measured on the same visits, which neither has learned from.
    difference: the mean over the visits of what the candidate's NDCG@10 is more, error: its standard error.
    lists: how many there are of each kind, in the model that would serve and in the one that does."""

    candidate: Quality
    serving: Quality
    difference: float = 0.0
    error: float = 0.0
    candidate_lists: dict[str, int] = field(default_factory=dict)
    serving_lists: dict[str, int] = field(default_factory=dict)


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


def may_promote(compared: Comparison | None, *, serves: bool = False, enough: int = 30) -> tuple[bool, str]:
    """A new model serves only if it has not lost lists, and is not worse than the serving one on the same
    fresh visits beyond what chance explains. `serves`: whether there is one that serves.

    With fewer than `enough` visits there is no verdict on quality, and the newer one serves.
    """
    if compared is None:
        return True, "the serving model cannot be read" if serves else "the first model"
    for kind, theirs in compared.serving_lists.items():
        ours = compared.candidate_lists.get(kind, 0)
        if ours < FEWEST * theirs:
            return False, f"lists of {kind} for {ours:,} products, the serving model has them for {theirs:,}"
    if compared.candidate.visits < enough:
        return True, f"too few fresh visits to compare ({compared.candidate.visits})"
    if compared.difference + SURE * compared.error < 0:
        mine, served = compared.candidate.ndcg_at_10, compared.serving.ndcg_at_10
        return False, f"NDCG@10 {mine:.4f}, worse than the serving {served:.4f}"
    return True, "not worse than the serving one"
