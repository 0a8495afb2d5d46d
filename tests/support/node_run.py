"""One turn of a workflow of static nodes, and its parts."""

from __future__ import annotations

from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.protocol.runs import TurnInput
from tests.support.factories import workflow


def run(*parts, **variables):
    """Run one turn and return all its events as they are sent."""
    interpreter = Interpreter(workflow(*parts), HeuristicModel())
    turn_input = TurnInput.with_message(None, runtime_variables=variables)
    return [event.to_wire() for event in interpreter.turn(interpreter.begin(turn_input), turn_input)]


def output_of(events):
    """Return the output of the only node that ran."""
    (end,) = [event for event in events if event["type"] == "end_node_run"]
    return end["run_output"]


def variables_of(events):
    """Return the thread's variables from the turn's only state event."""
    (shown,) = [event for event in events if event["type"] == "workflow_show_state"]
    return shown["runtime_variables"]
