from __future__ import annotations

import pytest

from debugger.protocol.events import EndWorkflowIterationEvent
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.record_sync import has_ended_other


@pytest.mark.parametrize("pair", [None, {}, {"run_input": ["stop"]}, {"run_input": 3}, {"run_input": "stop"}])
def test_stop_without_its_own_pair_ended_another_turn(pair):
    closing = EndWorkflowIterationEvent.from_wire(
        {"type": "end_workflow_iteration", "run_input_output_pair": pair}
    )

    assert has_ended_other(TurnLog(2, TurnInput(command="stop"), [closing]))


def test_stop_with_its_own_pair_is_a_turn():
    own = {"run_input": {"command": "stop"}}
    closing = EndWorkflowIterationEvent.from_wire(
        {"type": "end_workflow_iteration", "run_input_output_pair": own}
    )

    assert not has_ended_other(TurnLog(2, TurnInput(command="stop"), [closing]))
