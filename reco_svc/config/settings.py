"""Settings of reco_svc: the chassis' base, and what only this service needs."""

from pathlib import Path

from chassis.settings import base, declare

globals().update(base(service="reco", app="reco", root=Path(__file__).resolve().parent.parent))

TRAIN_AT_HOUR = declare("TRAIN_AT_HOUR", int, 3, "hour of the day, UTC, at which the nightly training starts")
CONSUMABLE_CATEGORIES = declare(
    "CONSUMABLE_CATEGORIES",
    str,
    "",
    "slugs, by commas, of categories whose things may be shown to who has them",
)
