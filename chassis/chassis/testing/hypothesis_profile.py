"""The Hypothesis profile of every suite: a pytest plugin that `pyproject.toml` loads.

A failing example is printed with its blob, so that it can be kept: as an `@example` of its test, or for a
while as `@reproduce_failure`. Time decides no test, for a busy machine is no fault of the code.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hivemart", print_blob=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hivemart")
