"""The app over an embedded backend of the test's own."""

from __future__ import annotations

import threading
import time
from functools import cache, partial
from pathlib import Path
from shutil import copy

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from debugger.backends.base import TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.settings import HOSTED_PREFIX, PREFIX, HostedSettings, Settings
from debugger.store import Store
from debugger.views import backends
from debugger.views.auth.logins import page_logins
from debugger.views.run_state import CurrentRun
from tests.views.bars import use
from tests.views.records import record_of

APP = Path(__file__).parents[2] / "debugger" / "views" / "pages" / "script.py"
PAGE = """
from debugger.views.shell import run

run({name!r})
"""


class SteeredBackend(EmbeddedBackend):
    """The embedded backend, with a gate before each event, and a fault and a clock that a test can set."""

    def __init__(self, settings: Settings, *, python_consent_key: bytes | None = None) -> None:
        world = Environment(now=lambda: self.clock() + self.ahead)
        self.clock = time.time
        super().__init__(settings, world=world, python_consent_key=python_consent_key)
        self.ahead = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self.fault: Exception | None = None

    def workflows(self, search=""):
        if self.fault:
            raise self.fault
        return super().workflows(search)

    def runs(self, **wanted):
        if self.fault:
            raise self.fault
        return super().runs(**wanted)

    def execute(self, *args, **kwargs):
        assert self.gate.wait(10)
        if self.fault:
            raise self.fault
        stream = super().execute(*args, **kwargs)
        return TurnStream(stream.run_id, self._gated(stream))

    def _gated(self, stream):
        for event in stream:
            assert self.gate.wait(10)
            yield event
        return stream.result


@pytest.fixture(scope="session", autouse=True)
def installed_components():
    """Read the packages that may bring a component once, not for each app: that is 0.2 s (2026-11-28)."""
    with pytest.MonkeyPatch.context() as patch:
        scan = manifest_scanner.scan_component_manifests
        patch.setattr(manifest_scanner, scan.__name__, cache(scan))
        yield


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """The file of an empty database: to copy it takes a third of the time to make one."""
    file = tmp_path_factory.mktemp("database") / "runs.sqlite3"
    Store(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def backend(tmp_path, empty_database):
    copy(empty_database, tmp_path)
    backend = SteeredBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.fault = None
    backend.gate.set()
    backend.close()


@pytest.fixture
def clean(backend, monkeypatch):
    """Lets the app work with `backend`, and with an environment that sets nothing."""
    for name in (*_names(PREFIX, Settings), *_names(HOSTED_PREFIX, HostedSettings)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(backends, "embedded_backend", lambda: backend)
    page_logins()  # a page does not start with settings that cannot be used, which a test may go on to set


@pytest.fixture(autouse=True)
def no_defect(request, caplog):
    """Fails a test whose page has drawn an unexpected exception as an error, unless it plants one."""
    yield
    found = [each for each in caplog.get_records("call") if "failed unexpectedly" in each.getMessage()]
    if request.node.get_closest_marker("plants_defect") is None:
        assert not found, found[0].exc_text


@pytest.fixture
def app(clean):
    """The app before its first run."""
    return AppTest.from_file(str(APP))


@pytest.fixture
def view(clean):
    """Gives the app before its first run, with another view as the one that opens."""
    return lambda name: AppTest.from_string(PAGE.format(name=name))


@pytest.fixture
def record(app):
    """Gives a record of the tab, by its class."""
    return partial(record_of, app)


@pytest.fixture
def settle(app, record):
    """Waits for the turn under way, and draws its end."""

    def settled():
        assert record(CurrentRun).session.wait(10)
        app.run()
        assert not app.exception

    return settled


@pytest.fixture
def press(app, settle):
    """Presses a button by its key, and waits for the turn that it begins."""

    def pressed(key):
        use(app, key)
        settle()

    return pressed


def _names(prefix, model):
    return [prefix + name.upper() for name in model.model_fields]
