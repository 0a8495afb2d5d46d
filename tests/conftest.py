"""Settings of Hypothesis, the log of the process, and the order of all tests."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from streamlit.testing.v1 import AppTest

from debugger.engine.outbound.known_secrets import KNOWN_SECRETS
from debugger.engine.outbound.secrets import Secrets
from debugger.telemetry.logs import LogHandler

# Other tests and a browser run beside them: how long an example takes says nothing.
settings.register_profile(
    "shared machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("shared machine")

# With it, each process that a test starts would compile the project anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

HERE = Path(__file__).parent
WHOLE_PRODUCT = frozenset(
    {"benchmarks", "browser", "campaigns", "components", "conformance", "faults", "mutation", "safety"}
)
"""Folders whose tests mirror no file of the source."""
LONG = (HERE / "test_style.py", HERE / "browser", HERE / "components")


@pytest.fixture(autouse=True, scope="session")
def patient_pages() -> Iterator[None]:
    """Give a run of a page a minute: the first one imports the app, while other tests run beside it."""
    begin = AppTest.__init__

    def begin_patiently(page: AppTest, *args: Any, **kwargs: Any) -> None:
        begin(page, *args, **kwargs)
        page.default_timeout = 60.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AppTest, "__init__", begin_patiently)
        yield


@pytest.fixture(autouse=True)
def own_secrets() -> Iterator[None]:
    """Forget the secrets that a test has made known to this process: they are masked in the next one, too."""
    known, before = KNOWN_SECRETS, dict(KNOWN_SECRETS._values)
    yield
    if known._values != before:
        known._values = {}
        known._secrets = Secrets()
        for value, is_lasting in before.items():
            known.add([value], is_lasting=is_lasting)
        known.version += 1


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Remove the log handler and the levels that a command in this process has set."""
    yield
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, LogHandler)]:
        root.removeHandler(handler)
        for name in ("debugger", "uvicorn", "alembic"):
            logging.getLogger(name).setLevel(logging.NOTSET)


gc.disable()  # until the tests are collected, which takes 6 s of CPU then, and not 8 (2026-11-29)


def pytest_collection_finish() -> None:
    """Search for garbage less often, and not among what was collected: the tests live until the end."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 20, 20)


def pytest_configure(config: pytest.Config) -> None:
    """Let `-m quick` see its marks: those of a conftest come after the options have chosen."""
    config.pluginmanager.register(Lanes())


class Lanes:
    """Marks tests by the lane in which they run."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Mark the first test of each file as quick, and let campaigns take as long as they do."""
        begun: set[Path] = set()
        for item in items:
            if item.get_closest_marker("campaign"):
                item.add_marker(pytest.mark.timeout(0))
            elif item.path not in begun and not WHOLE_PRODUCT & set(item.path.relative_to(HERE).parts):
                begun.add(item.path)
                item.add_marker(pytest.mark.quick)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests.

    At the end no worker is left alone with one.
    """
    items.sort(key=lambda item: not any(item.path.is_relative_to(path) for path in LONG))
