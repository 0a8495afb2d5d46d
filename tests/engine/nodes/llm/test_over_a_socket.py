"""Model nodes with tools whose model is really asked."""

from __future__ import annotations

import json

from debugger.engine.outbound.gateway import LiveGateway
from tests.engine.test_interpreter import Play
from tests.support.factories import say
from tests.support.model_server import provider_model, said, serving

ADD = {
    "type": "inline_python",
    "name": "Add numbers",
    "signature": "Adds.",
    "code": "def add(a, b):\n    return a + b\n",
    "args_schema": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
    "variable_arguments": [{"argument_name": "b", "source": "literal", "literal_value": 40}],
}


def test_model_answers_after_the_tool_result():
    calls = said("I look.", ("Add_numbers", {"a": 2}))
    with serving(calls, said("It is 42.")) as server:
        play = Play(
            say("chat", tools_config={"tools": [ADD]}, llms_config=server.llm()), model=provider_model()
        )
        play.interpreter.open_gateway = LiveGateway
        play.turn("2 and 40?")

    assert play.said() == ["I look.", "It is 42."]
    first, second = server.requests
    (offered,) = first["tools"]
    assert (offered["function"]["name"], offered["function"]["description"]) == ("Add_numbers", "Adds.")
    assert list(offered["function"]["parameters"]["properties"]) == ["a"]
    assert "tools" not in second
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    system, user, asked, told = second["messages"]
    assert (system["content"], user["content"]) == ("Talk.", "2 and 40?")
    assert asked["content"] == "I look."
    (call,) = asked["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("Add_numbers", {"a": 2})
    assert (told["role"], told["tool_call_id"], told["content"]) == ("tool", call["id"], "42")
    assert len(call["id"]) <= 40


def test_silent_server_gives_the_error_message():
    with serving(said(None, ("Add_numbers", {"a": 2})), (400, {})) as server:
        node = say(
            "chat",
            tools_config={"tools": [ADD]},
            llms_config=server.llm(),
            default_error_message="Pardon?",
        )
        play = Play(node, model=provider_model())
        play.interpreter.open_gateway = LiveGateway
        play.turn("2 and 40?")

    assert play.said() == ["Pardon?"]
    assert play.one("workflow_show_state")["runtime_variables"]["tool_result"] == 42
    assert play.one("workflow_warning")["warning_message"].startswith(
        "The model of node 'Chat' gave no answer"
    )
