from __future__ import annotations

import re

import pytest

from debugger.engine.options import EngineOptions
from debugger.engine.outbound import OutboundError, RecordedAnswer, Secrets
from debugger.engine.outbound.gateway import LiveGateway
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.engine.tools.simulation import ToolAnswer, answer_or_default, simulate_python
from debugger.expressions import Scope

ANY = re.compile("")


def test_a_made_up_answer_says_so():
    assert answer_or_default(None, {"status": "sent"}) == {"simulated": True, "status": "sent"}


@pytest.mark.parametrize("status", [None, 200, 299])
def test_what_was_recorded_is_the_answer(status):
    assert answer_or_default(RecordedAnswer(ANY, status=status, body=[1]), {"status": "sent"}) == [1]


@pytest.mark.parametrize("status", [199, 300, 503])
def test_a_recorded_failure_fails_the_call(status):
    with pytest.raises(OutboundError, match=f"status {status}"):
        answer_or_default(RecordedAnswer(ANY, status=status), {})


def test_recorded_result_is_labelled_and_logged():
    gateway = LiveGateway(secrets=Secrets({"KEY": "s3cret-value"}))
    options = EngineOptions(tool_answers=(ToolAnswer("price", result={"cups": "[[cups]]"}),))
    context = ToolContext(Scope(), timeout=1, options=options, outbound=gateway, node_logical_id="node_price")

    result = simulate_python("price", {"cups": 2, "key": "s3cret-value"}, context)

    (entry,) = gateway.ledger
    assert result == ToolResult(success=True, result={"cups": 2}, is_simulated=True)
    assert (entry["kind"], entry["how"], entry["node_logical_id"]) == ("python", "simulated", "node_price")
    assert "s3cret" not in str(entry)
    assert "'price' was simulated" in context.warnings[0]


def test_recorded_error_fails_the_tool():
    options = EngineOptions(tool_answers=(ToolAnswer("price", error="Sold out."),))
    context = ToolContext(Scope(), timeout=1, options=options, outbound=LiveGateway())

    result = simulate_python("price", {}, context)

    assert result == ToolResult(success=False, error="Sold out.", is_simulated=True)


def test_tool_without_recorded_answer_is_not_simulated():
    options = EngineOptions(tool_answers=(ToolAnswer("price", ((("cups",), 2),), result=1),))
    context = ToolContext(Scope(), timeout=1, options=options, outbound=LiveGateway())

    assert simulate_python("price", {"cups": 3}, context) is None
    assert context.warnings == []
