from __future__ import annotations

from debugger.backends.embedded import EmbeddedBackend
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


def test_preview_equals_variables_of_stored_run(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    session = DebugSession(backend, backend.create_workflow(WORKFLOW).id)
    turn_input = TurnInput.from_wire(INPUT)

    session.start(turn_input)
    assert session.wait(10)

    events = session.turns[0].events
    state = next(event for event in events if event.type == "workflow_show_state")
    shown = state.to_wire()["workflow_runtime_variables"]
    rows = input_preview(turn_input, session.workflow)
    dynamic = {row.name: row.value for row in rows if row.scope == "dynamic" and row.source != "system"}
    assert shown["_input_dynamic_variables"] == dynamic
    assert shown["_evaluated_dynamic_variables"].keys() == {
        row.name for row in rows if row.scope == "dynamic"
    }
    backend.close()
