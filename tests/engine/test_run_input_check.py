from __future__ import annotations

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.run_input_check import find_problems
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.session.input_warnings import input_warnings
from tests.support.factories import direct, say, static, workflow

FLOW = workflow(say("ask"), static("b", "B"), direct("ask", "b"))


def node_input(**fields):
    return {"thread_to_node_inputs": {"0": {"node_run_inputs": [fields]}}}


FIRST = "thread_to_node_inputs.0.node_run_inputs[0]"
FAULTY = [
    ({"start_node_logical_id": "lost"}, "start_node_logical_id"),
    ({"initial_state": {"threads": {"0": {"node_logical_id": "lost"}}}}, "initial_state.threads.0"),
    ({"initial_state": {"threads": {"7": {}}}}, "initial_state.threads"),
    ({"initial_state": {"memory": {}}}, "initial_state"),
    ({"thread_to_node_inputs": {"7": {}}}, "thread_to_node_inputs.7"),
    ({"thread_to_node_inputs": {"0": {"inputs": []}}}, "thread_to_node_inputs.0"),
    (node_input(type="teleport"), f"{FIRST}.type"),
    (node_input(type="no_op", messages=[{"type": "human", "content": "x"}]), FIRST),
    (node_input(node_logical_id="lost"), f"{FIRST}.node_logical_id"),
    (
        node_input(node_logical_id="b", messages=[{"type": "human", "content": "x"}]),
        f"{FIRST}.node_logical_id",
    ),
    (node_input(node_logical_id="b", type="llm"), f"{FIRST}.type"),
    (node_input(messages=[{"type": "human", "content": 7}]), f"{FIRST}.messages[0]"),
    ({"dynamic_variables": {"long": "x" * 1_000_001}}, ""),
]


@pytest.mark.parametrize(("value", "key"), FAULTY, ids=[str(place) for place in range(len(FAULTY))])
def test_engine_and_page_tell_the_same_problem(value, key):
    turn_input = TurnInput.from_wire(value)
    problem, *_ = find_problems(turn_input, Graph(FLOW), is_first_turn=True)
    interpreter = Interpreter(FLOW, HeuristicModel())
    shown = input_warnings(value, Graph(FLOW), workflow_id="wf", version_number=1, is_first_turn=True)

    with pytest.raises(InputError) as refused:
        next(interpreter.turn(interpreter.begin(turn_input), turn_input))

    assert problem.key == key
    assert (refused.value.message, refused.value.advice) == (problem.message, problem.advice)
    assert [each.key for each in shown] == [key or "run_input"]
    assert shown[0].text.endswith(problem.advice)


def test_sound_input_has_no_problem():
    value = node_input(node_logical_id="ask", type="llm", messages=[{"type": "human", "content": "x"}])

    assert not list(find_problems(TurnInput.from_wire(value), Graph(FLOW), is_first_turn=True))


def test_later_turn_of_unknown_place_takes_messages_for_any_node():
    value = node_input(node_logical_id="b", messages=[{"type": "human", "content": "x"}])

    assert not list(find_problems(TurnInput.from_wire(value), Graph(FLOW), is_first_turn=False))
    assert list(find_problems(TurnInput.from_wire(value), Graph(FLOW), is_first_turn=False, position="ask"))
