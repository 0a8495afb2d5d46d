"""Names that the author of a workflow has given."""

from __future__ import annotations

from debugger.boundary import Boundary, Kind, own_names
from debugger.protocol.workflow import Workflow


def test_names_of_nodes_edges_tools_and_variables_are_own():
    workflow = Workflow.model_validate(
        {
            "name": "Clinic",
            "default_dynamic_variables": {"caller": "Ada"},
            "node_configs": [
                {
                    "logical_id": "node_desk",
                    "name": "Desk",
                    "tools": [{"name": "find_slots", "args_schema": {"properties": {"day": {}}}}],
                }
            ],
            "edge_configs": [{"logical_id": "edge_book", "name": "book", "type": "direct"}],
        }
    )

    assert {*own_names(workflow)} >= {"Clinic", "caller", "node_desk", "Desk", "find_slots", "day", "book"}


def test_name_in_a_value_is_no_own_name():
    person = {"name": "ada@example.org"}
    workflow = Workflow.model_validate(
        {
            "default_dynamic_variables": {"customer": person},
            "node_configs": [
                {
                    "logical_id": "node_call",
                    "body_parameters": {"guests": [person]},
                    "tool_arguments": {"customer": person},
                    "tools": [{"args_schema": {"properties": {"guest": {"default": person}}}}],
                }
            ],
        }
    )
    one = Boundary()
    one.begin_run(own_names(workflow))

    assert one.release(Kind.TEXT, "I am ada@example.org") == "I am [e-mail]"
