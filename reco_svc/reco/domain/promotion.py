"""Quality of models: whether one may be promoted, and whether staff are alerted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SIGNIFICANT_ERRORS = 2.0  # standard errors; a larger loss is not chance
MIN_LIST_SHARE = 0.5  # of the serving model's lists, for each kind


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality on the newest tenth of the visits, with full ranking over the whole catalogue."""

    ndcg_at_10: float = 0.0
    hit_rate_at_10: float = 0.0
    coverage: float = 0.0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new model and the serving one on the same visits, which neither has learned from.

    `difference` is the mean over the visits of the candidate's NDCG@10 minus the serving one's, `error` its
    standard error. `candidate_lists` and `serving_lists` count the lists of each kind.
    """

    candidate: Quality
    serving: Quality
    difference: float = 0.0
    error: float = 0.0
    candidate_lists: dict[str, int] = field(default_factory=dict)
    serving_lists: dict[str, int] = field(default_factory=dict)


def quality_alert(
    quality: Quality, before: Sequence[Quality], *, share: float = 0.8, enough: int = 30
) -> str:
    """Return an alert if the quality is clearly below the median of the previous trainings, else ""."""
    known = sorted(one.ndcg_at_10 for one in before if one.visits >= enough)
    if not known or quality.visits < enough:
        return ""
    usual = known[len(known) // 2]
    if quality.ndcg_at_10 >= share * usual:
        return ""
    return f"quality fell: NDCG@10 {quality.ndcg_at_10:.4f}, usually {usual:.4f}"


def may_promote(compared: Comparison | None, *, serves: bool = False, enough: int = 30) -> tuple[bool, str]:
    """Decide whether a new model may serve, and return the reason.

    It may if it has not lost lists, and is not worse than the serving one on the same fresh visits beyond
    chance. `serves` is True if any model is serving. With fewer than `enough` visits quality is not compared,
    and the newer one serves.
    """
    if compared is None:
        return True, "the serving model cannot be read" if serves else "the first model"
    for kind, theirs in compared.serving_lists.items():
        ours = compared.candidate_lists.get(kind, 0)
        if ours < MIN_LIST_SHARE * theirs:
            return False, f"lists of {kind} for {ours:,} products, the serving model has them for {theirs:,}"
    if compared.candidate.visits < enough:
        return True, f"too few fresh visits to compare ({compared.candidate.visits})"
    if compared.difference + SIGNIFICANT_ERRORS * compared.error < 0:
        mine, served = compared.candidate.ndcg_at_10, compared.serving.ndcg_at_10
        return False, f"NDCG@10 {mine:.4f}, worse than the serving {served:.4f}"
    return True, "not worse than the serving one"
