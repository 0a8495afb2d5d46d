"""A pytest plugin that prints the files of the selected tests, whose ids may lack their folders."""

from __future__ import annotations

import pytest

MARK = "file: "


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print each file once, in the order of its tests."""
    for path in dict.fromkeys(item.path for item in session.items):
        print(f"{MARK}{path}")
