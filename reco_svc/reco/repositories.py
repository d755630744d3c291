"""The collections of reco_svc, declared as data."""

from __future__ import annotations

from chassis.couch import Collection, Index
from reco.domain import ErasureRequest, HistoryPart, Model, Product, Serving, Training

DATABASE = "recommendations"

PRODUCTS = Collection(
    database=DATABASE, kind="product", type=Product, indexes=(Index("by_status", ("status",)),)
)
TRAININGS = Collection(
    database=DATABASE,
    kind="training",
    type=Training,
    indexes=(Index("by_time", ("requested_at",)), Index("by_status", ("status", "requested_at"))),
)
MODELS = Collection(database=DATABASE, kind="model", type=Model, indexes=(Index("by_time", ("trained_at",)),))
SERVING = Collection(database=DATABASE, kind="serving", type=Serving)

ERASURE_REQUESTS = Collection(
    database=DATABASE, kind="forgotten", type=ErasureRequest, indexes=(Index("by_time", ("at",)),)
)

HISTORY_PARTS = Collection(database=DATABASE, kind="read", type=HistoryPart)

COLLECTIONS = (PRODUCTS, TRAININGS, MODELS, SERVING, ERASURE_REQUESTS, HISTORY_PARTS)
