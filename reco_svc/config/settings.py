"""Settings of reco_svc, on top of those of the chassis."""

from pathlib import Path

from chassis.env import env
from chassis.settings import base

globals().update(base(service="reco", app="reco", root=Path(__file__).resolve().parent.parent))

TRAIN_AT_HOUR = env("TRAIN_AT_HOUR", int, 3, "hour of the day, UTC, at which the nightly training starts")
TRAINING_MEMORY_MB = env(
    "TRAINING_MEMORY_MB",
    int,
    0,
    "MB that a training may take beside its worker's own; 0: nine tenths of what is free",
)
CONSUMABLE_CATEGORIES = env(
    "CONSUMABLE_CATEGORIES",
    str,
    "",
    "slugs, by commas, of categories whose things may be shown to who has them",
)
