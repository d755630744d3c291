"""Settings of the sample service."""

from pathlib import Path

from chassis.settings import base

globals().update(base(service="catalog", app="sample", root=Path(__file__).resolve().parent.parent))
ROOT_URLCONF = "sample.urls"
