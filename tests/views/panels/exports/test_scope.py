from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from debugger.backends import open_embedded
from debugger.exports.sources import RunFilter
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import RunSearch, TurnInput
from debugger.settings import Settings
from debugger.views import backends
from debugger.views.panels.exports.record import first_options, make_preview
from debugger.views.panels.exports.scope import SAMPLE_RUNS, ExportScope
from tests.support.factories import document, static


def test_scope_names_checks_with_results(monkeypatch):
    with closing(open_embedded(Settings(database="sqlite://"))) as backend:
        monkeypatch.setattr(backends, "embedded_backend", lambda: backend)
        city, tea = (
            backend.create_workflow(document(static("hello", "Hello"), name=name, logical_id=name))
            for name in ("City", "Tea")
        )
        ids = {}
        for workflow, checks in ((city, {"Ends": "pass"}), (tea, {"Greets 10": "pass", "Greets 2": "fail"})):
            for _ in range(SAMPLE_RUNS + 1):  # the first one is not in the sample
                stream = backend.execute(workflow.id, TurnInput.from_wire({"command": "start"}))
                list(stream)
                ids.setdefault(workflow.id, []).append(stream.finish().run_id)
            verdict = Verdict(
                run_id=ids[workflow.id][0], target=Target(), value="pass", reviewer="Ada", checks=checks
            )
            backend.store.reviews.set_verdict(verdict)
        scopes = [
            ExportScope(backend, tuple(ids[tea.id][::-1])),
            ExportScope(backend, tuple(ids[city.id][1:])),
            ExportScope(backend, wanted=RunFilter(city.id)),
            ExportScope(backend, wanted=RunFilter()),
            ExportScope(backend, wanted=RunFilter(), connection="staging"),
        ]

        found = [scope.sample().checks for scope in scopes]

    greets = ("Greets 2", "Greets 10")
    assert found == [greets, (), ("Ends",), ("Ends", *greets), ()]


def test_preview_names_workflow_of_all_runs(monkeypatch):
    with closing(open_embedded(Settings(database="sqlite://"))) as backend:
        monkeypatch.setattr(backends, "embedded_backend", lambda: backend)
        city, tea = (
            backend.create_workflow(document(static("hello", "Hello"), name=name, logical_id=name))
            for name in ("City", "Tea")
        )

        def run(workflow):
            stream = backend.execute(workflow.id, TurnInput.from_wire({"command": "start"}))
            list(stream)
            return stream.finish().run_id

        first = run(city)
        started = datetime.now(UTC)
        ids = [first, *(run(tea) for _ in range(SAMPLE_RUNS + 1))][::-1]
        scopes = [
            ExportScope(backend, tuple(ids)),
            ExportScope(backend, tuple(ids[:SAMPLE_RUNS])),
            ExportScope(backend, wanted=RunFilter()),
            ExportScope(backend, wanted=RunFilter(tea.id)),
            ExportScope(backend, wanted=RunFilter(search=RunSearch(since=started))),
        ]

        found = [make_preview(first_options(), scope.sample()).workflow_names for scope in scopes]

    assert found == [(), ("Tea",), (), ("Tea",), ("Tea",)]
