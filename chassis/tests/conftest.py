"""Sets the sample service up, and shares one real CouchDB-protocol server among the integration tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sample.settings")
sys.path.insert(0, str(Path(__file__).resolve().parent))

from chassis.testing.django import setup

setup(__file__)

from chassis.testing.couch import CouchServer, couch_server  # noqa: E402 - needs Django


@pytest.fixture(scope="session")
def couch() -> Iterator[CouchServer]:
    with couch_server() as running:
        yield running
