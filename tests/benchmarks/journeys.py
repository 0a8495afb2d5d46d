"""Count the files and functions that one action passes.

``python -m tests.benchmarks.journeys TOOLS [ACTION]``: ``TOOLS`` is the folder of ``journeys.py``, which has
the profiler; with the name of an action, its functions are listed. Workers start inside the measured block,
so that their threads are counted; each action is done once before, so that imports and caches are not. The
message on the page is sent from the message box, and the panes that follow the run are drawn again: as in a
browser, as one fragment, without the head of the page.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings, Settings
from debugger.views import backends
from debugger.views.auth.logins import page_logins
from debugger.views.run_state import CurrentRun
from tests.conformance.served import KEY, serving
from tests.support.factories import direct, document, say, static, when
from tests.views.bars import use
from tests.views.message import send
from tests.views.records import record_of

APP = Path(__file__).parents[2] / "debugger/views/pages/script.py"

Action = tuple[str, Callable[[], Any], Callable[[Any], Any]]
"""A name, what is done before the measured block, and what is done in it."""


def three_nodes() -> dict[str, Any]:
    """Return a workflow whose second turn passes three nodes."""
    return document(
        say("ask"),
        static("note", "Noted."),
        say("next"),
        when("ask", "note", freeform="The caller wants an appointment"),
        direct("note", "next"),
    )


def main() -> None:
    """Print the table, or the functions of one action."""
    sys.path.insert(0, sys.argv[1])
    from journeys import Journey  # of the shared tools

    wanted = sys.argv[2] if len(sys.argv) > 2 else None
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(f"sqlite:///{folder}/s.sqlite3", Path(folder)) as api,
    ):
        settings = Settings(database=f"sqlite:///{folder}/runs.sqlite3", responder="rules")
        backend = EmbeddedBackend(settings)
        workflow_id = backend.create_workflow(three_nodes()).id
        actions = [*_embedded(backend, workflow_id), *_hosted(str(api.base_url), api), _page(backend)]
        for name, prepare, act in actions:
            act(prepare())
            prepared = prepare()
            with Journey("debugger") as journey:
                act(prepared)
            if wanted in (None, name):
                print(journey.summary(name, listing=wanted is not None))
        backend.close()


def _embedded(backend: EmbeddedBackend, workflow_id: str) -> list[Action]:
    def started() -> DebugSession:
        session = DebugSession(backend, workflow_id)
        session.start(TurnInput.with_message(None))
        assert session.wait(10)
        return session

    def send(session: DebugSession) -> None:
        session.send("I need an appointment")
        assert session.wait(10)
        assert session.error is None and len(session.turns) == 2

    def executed(_: None) -> None:
        first = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
        assert first.status == "waiting_for_user_input"

    return [("execute, first turn", lambda: None, executed), ("session.send to stored", started, send)]


def _page(backend: EmbeddedBackend) -> Action:
    page_logins()

    def opened() -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60).run()
        use(app, "start")
        assert record_of(app, CurrentRun).session.wait(10)
        return app.run()

    def say_something(app: AppTest) -> None:
        with patch.object(LocalScriptRunner, "request_rerun", _rerun_of(_workbench(app))):
            send(app, "I need an appointment")
        assert not app.exception
        assert len(record_of(app, CurrentRun).session.turns) == 2

    def with_backend(act: Callable[..., Any]) -> Callable[..., Any]:
        return patch.object(backends, "embedded_backend", lambda: backend)(act)

    return "message, click to drawn page", with_backend(lambda: opened()), with_backend(say_something)


def _workbench(app: AppTest) -> str:
    """Return the fragment that has others in it."""
    storage = app._fragment_storage
    (parent,) = {each for name in storage._fragments for each in storage._iter_ancestor_ids(name)}
    return parent


def _rerun_of(fragment: str) -> Callable[[LocalScriptRunner, RerunData], bool]:
    def request_rerun(runner: LocalScriptRunner, data: RerunData) -> bool:
        runner._requests = ScriptRequests()  # else it begins with the whole page
        return runner._requests.request_rerun(replace(data, fragment_id=fragment))

    return request_rerun


class _LossyTransport(httpx.HTTPTransport):
    """Transport that answers an executed turn with 502."""

    is_lossy = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; lose the response to a turn on demand."""
        response = super().handle_request(request)
        if self.is_lossy and request.url.path.endswith("/execute"):
            response.read()
            return httpx.Response(502, json={"detail": "Bad gateway"})
        return response


def _hosted(base_url: str, api: Any) -> list[Action]:
    created = api.post("/v1/workflows", json=three_nodes())
    workflow_id = created.json()["workflow"]["_id"]
    settings = HostedSettings(base_url=base_url, api_key=KEY, live_events="off")
    transport = _LossyTransport()
    hosted = HostedBackend(settings, transport=transport)

    def started() -> str:
        return hosted.execute(workflow_id, TurnInput.with_message(None)).finish().run_id

    def execute(run_id: str) -> None:
        said = TurnInput.with_message("I need an appointment", command="data")
        stream = hosted.execute(workflow_id, said, run_id=run_id, expected_turn_number=2)
        assert stream.finish().turn_number == 2

    def reconcile(run_id: str) -> None:
        transport.is_lossy = True
        execute(run_id)
        transport.is_lossy = False

    return [
        ("hosted turn, plain request", started, execute),
        ("hosted turn, reconciled", started, reconcile),
    ]


if __name__ == "__main__":
    main()
