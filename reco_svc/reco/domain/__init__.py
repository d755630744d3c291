"""The domain of reco_svc: interactions, products on sale, and trained lists with their rules."""

from reco.domain.because import SENTENCES, Because
from reco.domain.category_ranking import CategoryRanking
from reco.domain.history import (
    HISTORY,
    RECENCY,
    WEIGHTS,
    Interaction,
    histories,
    history_of,
    recency_weights,
    with_recent,
)
from reco.domain.history_part import Amount, HistoryPart, part_id, usable_parts
from reco.domain.lists import (
    NEIGHBOURS,
    Lists,
    Scored,
    ServedModel,
    explanations,
    filter_visible,
    merge_weighted,
)
from reco.domain.models import MAX_MODELS, MAX_REFUSED, ErasureRequest, Model, Serving, TrainingAbandoned
from reco.domain.product import Product
from reco.domain.promotion import Comparison, Quality, may_promote, quality_alert
from reco.domain.training import READING, Training, TrainingRunning

__all__ = [
    "HISTORY",
    "MAX_MODELS",
    "MAX_REFUSED",
    "NEIGHBOURS",
    "READING",
    "RECENCY",
    "SENTENCES",
    "WEIGHTS",
    "Amount",
    "Because",
    "CategoryRanking",
    "Comparison",
    "ErasureRequest",
    "HistoryPart",
    "Interaction",
    "Lists",
    "Model",
    "Product",
    "Quality",
    "Scored",
    "ServedModel",
    "Serving",
    "Training",
    "TrainingAbandoned",
    "TrainingRunning",
    "explanations",
    "filter_visible",
    "histories",
    "history_of",
    "may_promote",
    "merge_weighted",
    "part_id",
    "quality_alert",
    "recency_weights",
    "usable_parts",
    "with_recent",
]
