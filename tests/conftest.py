"""Settings of Hypothesis, and the order of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Other tests and a browser run beside them: how long an example takes says nothing.
settings.register_profile(
    "shared machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("shared machine")

HERE = Path(__file__).parent
LONG = (HERE / "test_style.py", HERE / "test_main.py", HERE / "browser")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests.

    At the end no worker is left alone with one.
    """
    items.sort(key=lambda item: not any(item.path.is_relative_to(path) for path in LONG))
