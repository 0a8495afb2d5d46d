from __future__ import annotations

import pytest

from debugger.engine.run_input_check import ANYWHERE
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.session.input_warnings import input_warnings
from tests.support.factories import document, say


def warnings(value, *, is_first_turn=True, version_number=1, position=ANYWHERE):
    graph = Graph(Workflow.from_document(document(say("ask"), say("order"))))
    found = input_warnings(
        value,
        graph,
        workflow_id="wf",
        version_number=version_number,
        is_first_turn=is_first_turn,
        position=position,
    )
    return {warning.key: warning.text for warning in found}


def test_input_of_known_keys_has_no_warning():
    value = {
        "dynamic_variables": {"shop": "Leaf"},
        "runtime_variables": {"size": 2},
        "miscellaneous": {"channel": "web"},
        "run_by": "qa",
        "start_node_logical_id": "ask",
        "workflow_id": "wf",
        "version_number": 1,
        "thread_to_node_inputs": {"0": {"node_run_inputs": [{"node_logical_id": "ask"}]}},
    }

    assert TurnInput.from_wire(value)
    assert warnings(value) == {}


def test_unknown_key_names_nearest_key():
    found = warnings({"dynamic_variable": {}, "zzz": 1})

    assert "Did you mean “dynamic_variables”?" in found["dynamic_variable"]
    assert found["zzz"] == "The run input has no key “zzz”: it is stored and has no effect."


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run_by", "qa"),
        ("version_number", 1),
        ("start_node_logical_id", "ask"),
        ("initial_state", {"threads": {}}),
        ("welcome_message", "Hello"),
    ],
)
def test_key_of_first_turn_warns_on_later_turn(key, value):
    assert warnings({key: value}, is_first_turn=False)[key].startswith("No effect on this turn: ")


def test_welcome_message_says_what_first_turn_does():
    found = warnings({"welcome_message": "Hello"})

    assert found == {"welcome_message": "Models read it as the agent's first message, and no event says it."}


def test_foreign_workflow_and_version_are_named():
    found = warnings({"workflow_id": "other", "version_number": 7, "workflow_run_id": "r", "team_id": "t"})

    assert found["workflow_id"] == "It names workflow other; the run uses the workflow on view, wf."
    assert found["version_number"] == "It names version 7; the run uses version 1, as chosen above."
    assert {"workflow_run_id", "team_id"} <= found.keys()
    assert warnings({"version_number": 7}, version_number=None) == {}


def test_unset_identity_has_no_warning():
    assert warnings({"workflow_id": None, "version_number": 0, "team_id": None}) == {}


def test_missing_nodes_are_named():
    threads = {"0": {"node_run_inputs": [{"node_logical_id": "ask"}, {"node_logical_id": "gone"}]}}
    found = warnings({"start_node_logical_id": "lost", "thread_to_node_inputs": threads})

    assert found["start_node_logical_id"].startswith("The start node 'lost' is not in this version of the wo")
    place = "thread_to_node_inputs.0.node_run_inputs[1].node_logical_id"
    assert found[place].startswith("The node 'gone' is not in this version of the workflow.")


def test_reserved_flags_warn():
    found = warnings({"miscellaneous": {"background": True, "client_turn_id": "x"}})

    assert set(found) == {"miscellaneous.background", "miscellaneous.client_turn_id"}


def test_later_message_is_for_the_node_where_the_conversation_is():
    message = {"node_logical_id": "order", "messages": [{"type": "human", "content": "tea"}]}
    value = {"thread_to_node_inputs": {"0": {"node_run_inputs": [message]}}}
    key = "thread_to_node_inputs.0.node_run_inputs[0].node_logical_id"

    assert "the conversation is at the node" in warnings(value, is_first_turn=False, position="ask")[key]
    assert warnings(value, is_first_turn=False, position="order") == {}
    assert warnings(value, is_first_turn=False) == {}
