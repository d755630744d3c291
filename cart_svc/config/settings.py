"""Settings of cart_svc: the base settings of chassis."""

from pathlib import Path

from chassis.settings import base

globals().update(base(service="cart", app="cart", root=Path(__file__).resolve().parent.parent))
