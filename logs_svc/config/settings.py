"""Settings of logs_svc: the chassis' base, and what only this service needs."""

from pathlib import Path

from chassis.settings import base

globals().update(base(service="logs", app="logs", root=Path(__file__).resolve().parent.parent))
