"""What reco_svc knows: what people did, what is for sale, trained lists, and the rules of showing them."""

from reco.domain.history import (
    HISTORY,
    RECENCY,
    WEIGHTS,
    Interaction,
    histories,
    history_of,
    recency_weights,
    with_live,
)
from reco.domain.lists import NEIGHBOURS, Lists, Scored, Served, added, givers, showable
from reco.domain.models import KEPT_MODELS, KEPT_REFUSED, Forgotten, GivenUp, Model, Serving
from reco.domain.product import Product
from reco.domain.promotion import Comparison, Quality, may_promote, quality_alert
from reco.domain.reading import Amount, ReadPart, fitting, part_id
from reco.domain.shelves import Shelves
from reco.domain.training import READING, Training, TrainingRunning

__all__ = [
    "HISTORY",
    "KEPT_MODELS",
    "KEPT_REFUSED",
    "NEIGHBOURS",
    "READING",
    "RECENCY",
    "WEIGHTS",
    "Amount",
    "Comparison",
    "Forgotten",
    "GivenUp",
    "Interaction",
    "Lists",
    "Model",
    "Product",
    "Quality",
    "ReadPart",
    "Scored",
    "Served",
    "Serving",
    "Shelves",
    "Training",
    "TrainingRunning",
    "added",
    "fitting",
    "givers",
    "histories",
    "history_of",
    "may_promote",
    "part_id",
    "quality_alert",
    "recency_weights",
    "showable",
    "with_live",
]
