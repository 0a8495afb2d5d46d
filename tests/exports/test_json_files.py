from __future__ import annotations

import json

from debugger.backends.embedded import EmbeddedBackend
from debugger.exports import EXPORTS
from debugger.exports.json_files import build_run_file, event_lines
from debugger.protocol.notes import RunNotes
from debugger.protocol.run_file import read_run_file
from debugger.protocol.runs import Run, TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.settings import Settings
from tests.support.factories import document, node, say, static, workflow


def test_json_lines_has_every_event():
    backend = EmbeddedBackend(Settings(database="sqlite://", responder="rules"))
    workflow = backend.create_workflow(document(static("hello", "Hi\nthere"), say("chat")))
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    turns = turn_logs(backend.run(run_id))
    backend.close()

    lines = EXPORTS["jsonl"].render(event_lines(run_id, turns)).decode().splitlines()

    told = [json.loads(line) for line in lines]
    assert [line["payload"] for line in told] == [event.to_wire() for event in turns[0].events]
    assert [line["event_index"] for line in told] == list(range(len(told)))
    assert {(line["schema_version"], line["run_id"], line["turn_number"]) for line in told} == {
        (1, run_id, 1)
    }
    assert any(line["node_name"] == "Hello" and line["event_type"] == "end_node_run" for line in told)


def test_json_lines_of_an_empty_run():
    lines = event_lines("665f0c2b9a3e4d5f6a7b8c90", [TurnLog(1, TurnInput())])

    assert EXPORTS["jsonl"].render(lines) == b""


def test_run_json_has_no_secrets():
    wanted = {"headers": {"Authorization": "Bearer hush-hush"}, "url": "https://me:hush-hush@tea.example"}
    graph = workflow(node("order", "http_request", **wanted))
    run = Run.from_wire(
        {
            "workflow_run_id": "665f0c2b9a3e4d5f6a7b8c90",
            "workflow_id": "665f00000000000000000001",
            "status": "completed",
            "input_output_pairs": [
                {
                    "run_input": {
                        "dynamic_variables": {"password": "hush-hush"},
                        "secret_variables": {"a": "hush-hush"},
                    }
                }
            ],
            "carried_over_llm_token_usage": {"total_tokens": 7},
            "carried_over_llm_latency_stats": {"call_count": 2},
            "workflow_config_fully_hydrated": {"node_configs": [wanted]},
        }
    )

    data = EXPORTS["json"].render(
        build_run_file(run, graph, RunNotes(note="twice"), engine="Embedded engine")
    )

    again = read_run_file(data)
    assert b"hush-hush" not in data
    assert (again.format_version, again.engine, again.notes.note) == (1, "Embedded engine", "twice")
    assert again.graph().node_configs[0].logical_id == "order"
    assert again.record().carried_over_llm_token_usage == {"total_tokens": 7}
    assert again.record().carried_over_llm_latency_stats == {"call_count": 2}
    assert again.record().input_output_pairs[0].run_input == {"dynamic_variables": {"password": "***"}}
