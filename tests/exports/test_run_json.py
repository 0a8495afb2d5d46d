from __future__ import annotations

from debugger.exports import RUN_EXPORTS
from debugger.exports.json_files import run_file
from debugger.protocol.notes import RunNotes
from debugger.protocol.run_file import read_run_file
from debugger.protocol.runs import Run
from tests.factories import node, workflow


def test_a_run_is_written_with_its_workflow_and_notes_and_without_secrets():
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

    data = RUN_EXPORTS["json"].render(run_file(run, graph, RunNotes(note="twice"), engine="Embedded engine"))

    again = read_run_file(data)
    assert b"hush-hush" not in data
    assert (again.format_version, again.engine, again.notes.note) == (1, "Embedded engine", "twice")
    assert again.graph().node_configs[0].logical_id == "order"
    assert again.record().carried_over_llm_token_usage == {"total_tokens": 7}
    assert again.record().carried_over_llm_latency_stats == {"call_count": 2}
    assert again.record().input_output_pairs[0].run_input == {"dynamic_variables": {"password": "***"}}
