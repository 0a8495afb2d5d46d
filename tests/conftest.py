"""What holds for all tests: a made-up example may take its time, and CI tries the same ones each time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Other tests and a browser run beside them: how long an example takes says nothing.
settings.register_profile(
    "shared machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("shared machine")
