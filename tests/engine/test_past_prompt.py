"""Rebuilt prompts are compared with the sent ones in tests/session/test_past_prompts.py."""

from __future__ import annotations

import pytest

from debugger.engine.past_prompt import PastCall, rebuild_prompt
from debugger.engine.state import ThreadState
from debugger.errors import RunError
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import everywhere, say, static, when, workflow


def past_call(node, **fields):
    scope = Scope(dynamic={"shop": "Leaf"})
    return PastCall(node, ThreadState("0", node), scope, [TurnLog(1, TurnInput())], **fields)


GRAPH = Graph(
    workflow(
        say("chat", "Sell {{shop}}.", use_mcp_tools=True),
        static("bye", "Bye"),
        when("chat", "bye", freeform="leaves {{shop}}"),
    )
)


def test_rebuilt_prompt_notes_missing_servers():
    found = rebuild_prompt(past_call("chat"), GRAPH)

    assert found.prompt.system == "Sell Leaf."
    assert found.templates == ("Sell {{shop}}.", "leaves {{shop}}")
    assert [choice.condition for choice in found.prompt.choices] == ["leaves Leaf"]
    assert "MCP" in found.notes[0]


def test_rebuilt_prompt_that_must_answer_offers_nothing():
    found = rebuild_prompt(past_call("chat", must_answer=True), GRAPH)

    assert (found.prompt.choices, found.prompt.tools) == ((), ())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (past_call("gone"), "does not have the node"),
        (past_call("bye"), "calls no model"),
        (past_call("chat", judged_destination="gone"), "has no edge"),
    ],
)
def test_prompt_that_workflow_cannot_have_is_refused(call, words):
    with pytest.raises(RunError, match=words):
        rebuild_prompt(call, GRAPH)


def test_judged_prompt_has_the_condition_judged_apart():
    desk = say("desk", global_node_config=everywhere("asks for help", judged="independent_llm_evaluations"))
    graph = Graph(workflow(say("chat"), desk, when("chat", "desk", freeform="wants a refund")))

    found = rebuild_prompt(past_call("chat", judged_destination="desk"), graph)

    assert found.prompt.system == "asks for help"


def test_rebuilt_prompt_asks_for_the_edges_line():
    line = {"dynamic_messages_config": {"dynamic_message_prompt": "Say that {{shop}} takes it back."}}
    edge = when("chat", "b", freeform="return", condition=line)
    graph = Graph(workflow(say("chat"), static("b", "B"), edge))

    found = rebuild_prompt(past_call("chat"), graph)

    assert [choice.message_prompt for choice in found.prompt.choices] == ["Say that Leaf takes it back."]
