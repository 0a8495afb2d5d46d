from __future__ import annotations

import pytest

from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.engine.state import RunState
from debugger.engine.variables import VariableEdit
from debugger.errors import ConflictError, InputError
from debugger.protocol.runs import TurnInput
from tests.support.factories import direct, node, static, when, workflow


def begun(*parts, **config):
    """A first turn that nothing was pulled of yet, with the hand on it and what it remembers."""
    interpreter = Interpreter(workflow(*parts, **config), HeuristicModel())
    given, control = TurnInput.with_message(None), RunInspector()
    state = interpreter.begin(given)
    return interpreter.turn(state, given, inspector=control), control, state


def until(turn, event_type, node_id=None):
    """Pull until an event of this type, which is given back."""
    for event in turn:
        wire = event.to_wire()
        if event.type == event_type and node_id in (None, wire.get("origin_node_logical_id")):
            return wire
    raise AssertionError(f"no {event_type} came")


def rest(turn):
    return [event.to_wire() for event in turn]


def test_paused_turn_shows_its_variables():
    turn, control, _ = begun(static("a", "Hello {{name}}"), defaults={"name": "Ada"})
    until(turn, "start_node_run")

    scope = control.scope()

    assert scope.dynamic["name"] == "Ada"


def test_a_turn_that_has_not_begun_shows_nothing():
    with pytest.raises(ConflictError, match="not started"):
        RunInspector().scope()


def test_dynamic_edit_reaches_the_node():
    turn, control, state = begun(static("a", "Hello {{name}}"), defaults={"name": "Ada"})
    until(turn, "start_node_run")

    control.edit([VariableEdit("dynamic", "name", "Eve")])

    assert until(turn, "assistant_response")["content"] == "Hello Eve"
    assert state.dynamic_variables == {"name": "Eve"}


def test_runtime_edit_decides_the_edge():
    turn, control, _ = begun(
        node("a", "no_op"),
        static("left", "Left"),
        static("right", "Right"),
        when("a", "left", "isAbsent([[way]])"),
        when("a", "right", "[[way]] == 'right'"),
    )
    until(turn, "workflow_show_state")

    control.edit([VariableEdit("runtime", "way", "right")])

    assert until(turn, "assistant_response")["content"] == "Right"


def test_edit_at_the_error_is_reported():
    turn, control, _ = begun(static("a", "Hi"), direct("a", "nowhere"), defaults={"name": "Ada"})
    until(turn, "workflow_error")

    count = control.edit([VariableEdit("dynamic", "name", "Eve")])

    assert [event["type"] for event in rest(turn)] == ["workflow_debug_log", "workflow_show_state"]
    assert count == 2


def test_edit_event_has_before_and_after():
    turn, control, _ = begun(node("a", "no_op"), static("b", "B"), direct("a", "b"), defaults={"name": "Ada"})
    shown = until(turn, "workflow_show_state")

    control.edit(
        [VariableEdit("dynamic", "name", "Eve"), VariableEdit("runtime", "no_op_result", is_removal=True)]
    )

    note, state, *_ = rest(turn)
    assert note["type"] == "workflow_debug_log"
    assert note["debug_message"] == "Changed manually: name, no_op_result"
    assert note["edits"] == [
        {"scope": "dynamic", "name": "name", "before": "Ada", "after": "Eve"},
        {"scope": "runtime", "thread_id": "0", "name": "no_op_result", "before": None},
    ]
    assert state["workflow_runtime_variables"]["_evaluated_dynamic_variables"]["name"] == "Eve"
    assert "no_op_result" not in state["runtime_variables"]
    assert shown["workflow_runtime_variables"]["_evaluated_dynamic_variables"]["name"] == "Ada"


def test_edits_are_all_or_nothing():
    turn, control, state = begun(static("a", "A"))
    until(turn, "start_node_run")

    with pytest.raises(InputError, match="no thread '7'; it has 0"):
        control.edit([VariableEdit("workflow", "x", 1), VariableEdit("runtime", "x", 1, thread_id="7")])

    assert state.workflow_variables == {}
    assert "workflow_debug_log" not in {event["type"] for event in rest(turn)}


def test_repeated_turn_has_same_random_values():
    flow = workflow(static("a", *[f"Text {number}" for number in range(50)], mode="random"))
    interpreter, given = Interpreter(flow, HeuristicModel()), TurnInput.with_message(None)
    state = interpreter.begin(given)
    before = state.to_json()

    said = [[event.to_wire() for event in interpreter.turn(RunState.from_json(before), given)] for _ in "12"]

    texts = [[e["content"] for e in events if e["type"] == "assistant_response"] for events in said]
    chance = [
        next(
            e["workflow_runtime_variables"]["_evaluated_dynamic_variables"]["rand_uuid"]
            for e in events
            if e["type"] == "workflow_show_state"
        )
        for events in said
    ]
    assert texts[0] == texts[1]
    assert chance[0] == chance[1]
    assert {e["logical_id"] for e in said[0]}.isdisjoint(e["logical_id"] for e in said[1])


def test_executions_have_different_random_values():
    state = RunState.at("a")
    state.seed = 5
    first = state.next_seed
    state.segments += 1

    assert first == 5
    assert state.next_seed != first
