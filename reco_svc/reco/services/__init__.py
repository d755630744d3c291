"""The use cases of reco_svc: training models, serving lists, projecting the catalogue."""

from reco.services.erasure import Erasure
from reco.services.history_loader import HistoryLoader
from reco.services.model_registry import ModelRegistry
from reco.services.product_projection import ProductProjection
from reco.services.recommendations import Recommendations
from reco.services.training import Trainings

__all__ = [
    "Erasure",
    "HistoryLoader",
    "ModelRegistry",
    "ProductProjection",
    "Recommendations",
    "Trainings",
]
