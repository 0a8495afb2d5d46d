from __future__ import annotations

from debugger.analysis.caller_input import supplied_dynamic, supplied_runtime, supplied_state
from debugger.protocol.runs import NodeInput, ThreadInput, TurnInput


def test_a_state_in_a_shape_of_another_backend_is_passed_over():
    given = TurnInput(initial_state={"thread_id_to_nodes_history": {"0": ["node_a"]}})

    assert supplied_state(given).threads == {}


def test_variables_that_were_sent_to_one_node_are_among_the_rest():
    to_node = NodeInput(dynamic_variables={"city": "Bath"}, runtime_variables={"tea": "Assam"})
    given = TurnInput(
        dynamic_variables={"shop": "Leaf"},
        runtime_variables={"vip": True},
        thread_to_node_inputs={"0": ThreadInput(node_run_inputs=[to_node])},
    )

    assert supplied_dynamic(given) == {"shop": "Leaf", "city": "Bath"}
    assert supplied_runtime(given) == {"vip": True, "tea": "Assam"}
