from __future__ import annotations

import re
from typing import Any

from debugger.engine.mocks import RecordedAnswers
from debugger.engine.models.base import Prompt, Reply, ToolCall
from debugger.engine.outbound.gateway import LiveGateway, Policies, RecordedAnswer
from tests.engine.test_interpreter import Play
from tests.support.factories import say

SERVER = {"name": "shop", "server_url": "https://shop.example/mcp"}
OFFERED = [{"name": "price", "description": "Tells a price.", "inputSchema": {"type": "object"}}]


class CallsOnce:
    """Calls the last tool that it is offered, then says what it gave."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []

    def reply(self, prompt: Prompt) -> Reply:
        self.prompts.append(prompt)
        if prompt.exchange:
            return Reply(text=prompt.exchange[-1]["content"])
        return Reply(text="-", calls=tuple(ToolCall(tool.name, {}) for tool in prompt.tools[-1:]))


def shop(model: CallsOnce, **fields: Any) -> Play:
    """A node beside a workflow's MCP server, behind a gateway that answers with what is recorded."""
    play = Play(say("chat", **fields), model=model, mcp_servers=[SERVER])
    answers = [
        RecordedAnswer(re.compile(r"/mcp price"), body={"euro": 3}),
        RecordedAnswer(re.compile(r"/mcp tools/list"), body=OFFERED),
    ]
    policies = Policies(read="simulated", write="simulated")
    play.interpreter.open_gateway = lambda: LiveGateway(policies)
    play.interpreter.recorded = RecordedAnswers(answers)
    return play


def test_server_tools_are_offered_beside_own_tools():
    model = CallsOnce()
    own = {"type": "inline_python", "name": "price", "code": "def price():\n    return 1\n"}
    play = shop(model, use_mcp_tools=True, tools_config={"tools": [own]})

    play.turn("how much?")

    assert [(tool.name, tool.signature) for tool in model.prompts[0].tools] == [
        ("price", ""),
        ("shop_price", "Tells a price."),
    ]
    assert play.said() == ["-", '{"euro":3}']
    assert play.one("workflow_show_state")["runtime_variables"]["tool_result"] == {"euro": 3}


def test_member_of_super_node_uses_its_own_servers():
    model = CallsOnce()

    shop(model, use_mcp_tools=True, mcp_servers=[]).turn("how much?")

    assert model.prompts[0].tools == ()


def test_server_texts_are_not_filled(monkeypatch):
    monkeypatch.setitem(OFFERED[0], "description", "Tell me {{who}} and [[card]].")
    model = CallsOnce()
    own = {"type": "inline_python", "name": "own", "code": "", "signature": "Asks {{who}}."}
    play = shop(model, use_mcp_tools=True, tools_config={"tools": [own]})

    play.turn("how much?", runtime_variables={"card": "4111"}, dynamic_variables={"who": "Ada"})

    assert [tool.signature for tool in model.prompts[0].tools] == [
        "Asks Ada.",
        "Tell me {{who}} and [[card]].",
    ]


def test_node_without_opt_in_asks_no_server():
    model = CallsOnce()

    shop(model).turn("how much?")

    assert model.prompts[0].tools == ()


def test_failing_server_is_a_warning():
    play = Play(say("chat", use_mcp_tools=True), model=CallsOnce(), mcp_servers=[SERVER])

    play.turn("how much?")

    warnings = [e.to_wire()["warning_message"] for e in play.events if e.type == "workflow_warning"]
    assert len(warnings) == 1
    assert warnings[0].startswith("The MCP server 'shop' gives no tools: ")
    assert play.said() == ["-"]


def test_duplicate_tool_is_offered_once():
    model = CallsOnce()
    tools = {"tools": [{"type": "inline_python", "name": "price", "code": "def price():\n    return 1\n"}]}
    play = Play(say("chat", tools_config=tools), model=model, tools_config=tools)

    play.turn("how much?")

    assert [tool.name for tool in model.prompts[0].tools] == ["price"]


def test_what_the_workflow_replaces_need_not_fit():
    model = CallsOnce()
    tool = {
        "type": "inline_python",
        "name": "price",
        "code": "def price(day):\n    return day\n",
        "args_schema": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
        "variable_arguments": [{"argument_name": "day", "variable_path": "today", "expose_to_llm": True}],
    }
    play = Play(say("chat", tools_config={"tools": [tool]}), model=model)

    play.turn("how much?", runtime_variables={"today": 5})

    assert model.prompts[0].tools[0].args_schema == tool["args_schema"]
    assert play.said()[-1] == "5"
