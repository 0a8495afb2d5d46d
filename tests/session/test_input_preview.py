from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.expressions import lookup
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow
from debugger.session.input_preview import PreviewRow, input_preview
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import document, static

WORKFLOW = {
    **document(static("ask", "Hi"), defaults={"shop": "Leaf", "when": "any"}),
    "dynamic_variables": {"city": "Kiel"},
    "runtime_variables": {"n": 1},
}
INPUT = {
    "dynamic_variables": {"when": "Monday", "shop": "Leaf", "now": "noon"},
    "runtime_variables": {"n": True},
}


def test_each_variable_names_its_source():
    rows = {
        (row.scope, row.name): row
        for row in input_preview(TurnInput.from_wire(INPUT), Workflow.from_document(WORKFLOW))
    }

    assert rows["dynamic", "when"] == PreviewRow("dynamic", "when", "Monday", "input", "any")
    assert rows["dynamic", "shop"].source == "default"
    assert rows["dynamic", "city"] == PreviewRow("dynamic", "city", "Kiel", "default")
    assert rows["dynamic", "now"] == PreviewRow("dynamic", "now", "noon", "input")
    assert rows["runtime", "n"] == PreviewRow("runtime", "n", True, "input", 1)
    assert {name for (_, name), row in rows.items() if row.source == "system"} == SYSTEM_NAMES - {"now"}


STATE = {
    "threads": {"0": {"node_logical_id": "ask", "runtime_variables": {"n": 3, "seat": 1}}},
    "dynamic_variables": {"when": "Sunday", "mood": "calm"},
    "workflow_runtime_variables": {"seat": 2, "row": 4, "_hidden": 5},
}


def test_initial_state_counts_as_in_run():
    value = {**INPUT, "runtime_variables": {"n": 2, "row": 1}, "initial_state": STATE}

    rows = {
        (row.scope, row.name): row
        for row in input_preview(TurnInput.from_wire(value), Workflow.from_document(WORKFLOW))
    }

    assert rows["dynamic", "when"] == PreviewRow("dynamic", "when", "Monday", "input", "any")
    assert rows["dynamic", "mood"] == PreviewRow("dynamic", "mood", "calm", "state")
    assert rows["runtime", "n"] == PreviewRow("runtime", "n", 3, "state", 1)
    assert rows["runtime", "seat"].value == 1
    assert rows["runtime", "row"] == PreviewRow("runtime", "row", 4, "state")
    assert ("runtime", "_hidden") not in rows


@pytest.mark.parametrize("more", [{}, {"initial_state": STATE}])
def test_preview_equals_variables_of_stored_run(tmp_path, more):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    session = DebugSession(backend, backend.create_workflow(WORKFLOW).id)
    turn_input = TurnInput.from_wire({**INPUT, **more})

    session.start(turn_input)
    assert session.wait(10)

    events = session.turns[0].events
    state = next(event for event in events if event.type == "workflow_show_state")
    shown = state.to_wire()["workflow_runtime_variables"]
    rows = input_preview(turn_input, session.workflow)
    snapshots = session.index.variables()
    snapshots.catch_up(session.turns)
    scope = snapshots.at(None).scope("0", session.workflow)
    assert {row.name: lookup(scope, "runtime", row.name) for row in rows if row.scope == "runtime"} == {
        row.name: row.value for row in rows if row.scope == "runtime"
    }
    dynamic = {row.name: row.value for row in rows if row.scope == "dynamic" and row.source != "system"}
    assert shown["_input_dynamic_variables"] == dynamic
    assert shown["_evaluated_dynamic_variables"].keys() == {
        row.name for row in rows if row.scope == "dynamic"
    }
    backend.close()
