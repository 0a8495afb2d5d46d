from __future__ import annotations

from debugger.analysis.caller_input import (
    original_input,
    original_inputs,
    supplied_dynamic,
    supplied_runtime,
    supplied_state,
)
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import NodeInput, ThreadInput, TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.settings import Settings
from tests.support.factories import document, say


def test_supplied_state_ignores_unknown_shapes():
    given = TurnInput(initial_state={"thread_id_to_nodes_history": {"0": ["node_a"]}})

    assert supplied_state(given).threads == {}


def test_supplied_variables_include_single_nodes():
    to_node = NodeInput(dynamic_variables={"city": "Bath"}, runtime_variables={"tea": "Assam"})
    given = TurnInput(
        dynamic_variables={"shop": "Leaf"},
        runtime_variables={"vip": True},
        thread_to_node_inputs={"0": ThreadInput(node_run_inputs=[to_node])},
    )

    assert supplied_dynamic(given) == {"shop": "Leaf", "city": "Bath"}
    assert supplied_runtime(given) == {"vip": True, "tea": "Assam"}


def test_original_input_removes_recorded_additions(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    kept = backend.create_workflow(document(say("chat"), defaults={"shop": "Leaf", "open": True}))
    first = TurnInput.with_message(None, dynamic_variables={"name": "Ada"}, runtime_variables={"seed": 1})
    second = TurnInput.with_message("hi", dynamic_variables={"shop": "Root", "open": 1}, command="data")
    run_id = backend.execute(kept.id, first).finish().run_id
    backend.execute(kept.id, second, run_id=run_id).finish()

    found = original_inputs(turn_logs(backend.run(run_id)), backend.workflow(kept.id))
    backend.close()

    assert [one.dynamic_variables for one in found] == [{"name": "Ada"}, {"shop": "Root", "open": 1}]
    assert [one.runtime_variables for one in found] == [{"seed": 1}, {}]
    assert [one.command for one in found] == ["start", "data"]
    assert found[1].messages == second.messages


def test_original_input_keeps_unrecorded_inputs():
    given = TurnInput.with_message("hi", dynamic_variables={"shop": "Leaf"})

    assert original_input(given, {"shop": "Leaf"}) is given


def test_odd_values_of_a_recorded_input_are_read_as_their_defaults_again():
    names = {"client_turn_id": "turn_1"}
    echo = {"input_dynamic_variables": {"city": "Bath"}}
    wire = {"command": "poke", "version_number": "latest", "miscellaneous": names, "runtime_variables": echo}

    found = original_input(TurnInput.from_record(wire), {})

    assert (found.command, found.version_number, found.client_turn_id) == ("start", None, None)
