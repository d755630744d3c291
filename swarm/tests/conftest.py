"""Puts the project's folder on the path, and takes swarm/ off it: secrets.py there is not Python's own."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "swarm")]
