from __future__ import annotations

import re

import pytest

from debugger.engine.mocks import RecordedAnswers
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.options import EngineOptions, PythonStatus
from debugger.engine.outbound import OutboundError, RecordedAnswer, Secrets
from debugger.engine.outbound.gateway import LiveGateway
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.engine.tools.inline_python import InlinePythonConfig, InlinePythonTool
from debugger.engine.tools.simulation import ToolAnswer, answer_or_default
from debugger.expressions import Scope

ANY = re.compile("")
OFF = EngineOptions(inline_python=PythonStatus("refused", "It is off.", "Switch it on."))


def call_price(context, answer, **arguments):
    tool = InlinePythonTool(InlinePythonConfig(type="inline_python", name="price", code="def price(): ..."))
    return Interceptor(recorded=RecordedAnswers(tools=(answer,))).call(tool, arguments, context)


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
    context = ToolContext(Scope(), timeout=1, options=OFF, outbound=gateway, node_logical_id="node_price")

    result = call_price(context, ToolAnswer("price", result={"cups": "[[cups]]"}), cups=2, key="s3cret-value")

    (entry,) = gateway.ledger
    assert result == ToolResult(success=True, result={"cups": 2}, is_simulated=True)
    assert (entry["kind"], entry["how"], entry["node_logical_id"]) == ("python", "simulated", "node_price")
    assert entry["answered_by"] == "recorded"
    assert "s3cret" not in str(entry)
    assert "'price' was simulated" in context.warnings[0]


def test_recorded_error_fails_the_tool():
    context = ToolContext(Scope(), timeout=1, options=OFF, outbound=LiveGateway())

    result = call_price(context, ToolAnswer("price", error="Sold out."))

    assert result == ToolResult(success=False, error="Sold out.", is_simulated=True)


def test_tool_without_recorded_answer_is_not_simulated():
    context = ToolContext(Scope(), timeout=1, options=OFF, outbound=LiveGateway())

    result = call_price(context, ToolAnswer("price", ((("cups",), 2),), result=1), cups=3)

    assert result == ToolResult.failure("It is off. Switch it on.")
    assert (context.warnings, context.outbound.ledger) == ([], [])
