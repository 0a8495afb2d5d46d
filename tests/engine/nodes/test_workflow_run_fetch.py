from __future__ import annotations

import json

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import document, node, static, when


def test_stored_run_is_loaded_as_json(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3"))
    greeting = backend.create_workflow(document(static("a", "Hello")))
    fetch = backend.create_workflow(
        document(
            node("load", "workflow_run_fetch"),
            static("done", "Loaded."),
            when("load", "done", "[[workflow_run_object_success]] == true"),
        )
    )
    first = backend.execute(greeting.id, TurnInput.with_message(None)).finish()

    given = TurnInput.with_message(None, dynamic_variables={"workflow_run_id": first.run_id})
    events = backend.execute(fetch.id, given).finish().events

    output = next(event["run_output"] for event in events if event["type"] == "end_node_run")
    assert json.loads(output["fetched_workflow_run"])["workflow_run_id"] == first.run_id
    assert "Loaded." in [event.get("content") for event in events]
    backend.close()


def test_missing_run_is_reported_in_variables(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3"))
    fetch = backend.create_workflow(document(node("load", "workflow_run_fetch", workflow_run_id="nonsense")))

    result = backend.execute(fetch.id, TurnInput.with_message(None)).finish()

    shown = next(event for event in result.events if event["type"] == "workflow_show_state")[
        "runtime_variables"
    ]
    assert result.status == "completed"
    assert (shown["workflow_run_object"], shown["workflow_run_object_success"]) == (None, False)
    assert "nonsense" in shown["workflow_run_object_error"]
    backend.close()
