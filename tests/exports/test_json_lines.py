from __future__ import annotations

import json

from debugger.backends.embedded import EmbeddedBackend
from debugger.exports import EVENT_EXPORTS
from debugger.exports.json_files import event_lines
from debugger.protocol.runs import TurnInput, TurnLog, turn_logs
from debugger.settings import Settings
from tests.factories import document, say, static


def test_every_event_of_a_run_is_a_line():
    backend = EmbeddedBackend(Settings(database="sqlite://", responder="rules"))
    workflow = backend.create_workflow(document(static("hello", "Hi\nthere"), say("chat")))
    run_id = backend.execute(workflow.id, TurnInput.saying(None)).finish().run_id
    turns = turn_logs(backend.run(run_id))
    backend.close()

    lines = EVENT_EXPORTS["jsonl"].render(event_lines(run_id, turns)).decode().splitlines()

    told = [json.loads(line) for line in lines]
    assert [line["payload"] for line in told] == [event.to_wire() for event in turns[0].events]
    assert [line["event_index"] for line in told] == list(range(len(told)))
    assert {(line["schema_version"], line["run_id"], line["turn_number"]) for line in told} == {
        (1, run_id, 1)
    }
    assert any(line["node_name"] == "Hello" and line["event_type"] == "end_node_run" for line in told)


def test_a_run_without_events_is_an_empty_file():
    lines = event_lines("665f0c2b9a3e4d5f6a7b8c90", [TurnLog(1, TurnInput())])

    assert EVENT_EXPORTS["jsonl"].render(lines) == b""
