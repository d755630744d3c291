"""What reco_svc stores, declared as data."""

from __future__ import annotations

from chassis.couch import Collection, Index
from reco.domain import Forgotten, Model, Product, ReadPart, Serving, Training

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

FORGOTTEN = Collection(
    database=DATABASE, kind="forgotten", type=Forgotten, indexes=(Index("by_time", ("at",)),)
)

READ = Collection(database=DATABASE, kind="read", type=ReadPart)

COLLECTIONS = (PRODUCTS, TRAININGS, MODELS, SERVING, FORGOTTEN, READ)
