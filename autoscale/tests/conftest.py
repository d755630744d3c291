"""The autoscaler on a fake Docker API."""

from __future__ import annotations

import sys
from pathlib import Path

from chassis.testing.django import setup

sys.path.insert(0, str(Path(__file__).resolve().parent))
setup(__file__)
