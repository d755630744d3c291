"""Settings of checkout_svc: the base settings of chassis, and its own."""

from pathlib import Path

from chassis.env import env
from chassis.settings import base

globals().update(base(service="checkout", app="checkout", root=Path(__file__).resolve().parent.parent))

TEST_PAYMENT_UNKNOWN_SECONDS = env(
    "TEST_PAYMENT_UNKNOWN_SECONDS",
    int,
    10,
    "seconds until the sandbox provider knows the result of a `tok_timeout_unknown`",
)
