"""Whole turns of a workflow whose models are really asked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.outbound.gateway import LiveGateway
from debugger.errors import RunError
from debugger.protocol.runs import TurnInput
from tests.support.factories import everywhere, say, static, when, worker, workflow
from tests.support.model_server import KEY, prompt, responder, said, serving


def turn(made, text):
    """The events of one turn, as they travel."""
    interpreter = Interpreter(made, responder(), open_gateway=LiveGateway)
    given = TurnInput.with_message(text)
    return [event.to_wire() for event in interpreter.turn(interpreter.begin(given), given)]


def of_type(events, event_type):
    return [event for event in events if event["type"] == event_type]


def test_run_has_usage_and_no_key():
    with serving(said("Yes, we have.")) as server:
        events = turn(workflow(say("a", llms_config=server.llm())), "Have you any Assam?")

    (message,), (answer,) = of_type(events, "say_llm"), of_type(events, "assistant_response")
    assert answer["content"] == "Yes, we have."
    assert message["llm_usage_info"] == answer["llm_usage_info"]
    assert message["llm_usage_info"]["response_model"] == "tea-1-2026"
    assert message["llm_usage_info"]["total_tokens"] == 18
    assert message["llm_usage_info"]["used_user_api_key"]
    assert KEY not in json.dumps(events)


def test_a_model_takes_a_hop():
    call = ("Destination_Node__b", {"justification": "it was asked for"})

    with serving(said(None, call)) as server:
        made = workflow(
            say("a", llms_config=server.llm()), static("b", "Bye"), when("a", "b", freeform="it is time")
        )
        events = turn(made, "I must go.")

    assert [event["content"] for event in of_type(events, "assistant_response")] == ["Bye"]
    (hop,) = of_type(events, "conditional_edge")
    assert hop["args_filled"] == {"justification": "it was asked for"}


@pytest.mark.parametrize(
    ("written", "spoken"), [("Ada, I put you through.", "Ada, I put you through."), (None, "One moment.")]
)
def test_model_writes_the_edges_line(written, spoken):
    fixed = {"static_messages": ["One moment."]}
    lines = {
        "static_messages_config": fixed,
        "dynamic_messages_config": {"dynamic_message_prompt": "Name them"},
    }
    call = ("Destination_Node__b", {"justification": "so", "transition_message": written})

    with serving(said(None, call)) as server:
        edge = when("a", "b", freeform="it is time", condition=lines)
        made = workflow(say("a", llms_config=server.llm()), static("b", "Bye"), edge)
        events = turn(made, "I must go.")

    (offered,) = server.requests[0]["tools"]
    assert "Name them" in offered["function"]["parameters"]["properties"]["transition_message"]["description"]
    assert [event["content"] for event in of_type(events, "assistant_response")] == [spoken, "Bye"]
    assert of_type(events, "conditional_edge")[0]["args_filled"] == {"justification": "so"}


def test_verdict_brings_the_edges_line():
    lines = {"dynamic_messages_config": {"dynamic_message_prompt": "Name them"}}
    condition = {"condition_freeform": "wants it", **lines}
    settings = {**everywhere("", judged="independent_llm_evaluations"), "condition": condition}
    verdict = {"is_condition_met": True, "justification": "so", "transition_message": "Ada, come in."}

    with serving(said(None, ("give_verdict", verdict)), said("Hm.")) as server:
        desk = static("b", "Bye", global_node_config=settings)
        events = turn(workflow(say("a", llms_config=server.llm()), desk), "I must go.")

    assert [event["content"] for event in of_type(events, "assistant_response")] == ["Ada, come in.", "Bye"]


def test_a_worker_s_output_becomes_variables():
    with serving(said(None, ("structured_output", {"tea": "Assam"}))) as server:
        made = workflow(worker("a", {"tea": {"type": "string"}}, llms_config=server.llm()))
        events = turn(made, "Assam please")

    state = of_type(events, "workflow_show_state")[-1]
    assert state["runtime_variables"]["tea"] == "Assam"


@pytest.mark.parametrize("answer", [(401, {"error": {"message": f"bad key {KEY}"}}), (400, {}), "{ no JSON"])
def test_failed_model_speaks_error_message(answer):
    with serving(answer) as server:
        events = turn(workflow(say("a", llms_config=server.llm(), default_error_message="Sorry.")), "Hello")

    assert [event["content"] for event in of_type(events, "assistant_response")] == ["Sorry."]
    assert KEY not in json.dumps(events)


def test_unfitting_output_speaks_error_message():
    schema = {"input_schema": {"type": "object", "properties": {"cups": {"type": "integer"}}}}
    bad = said(None, ("structured_output", {"cups": "many"}))

    with serving(said("Sure."), bad) as server:
        made = workflow(
            say(
                "a",
                llms_config=server.llm(),
                structured_output_schema=schema,
                default_error_message="Sorry.",
            )
        )
        events = turn(made, "Some cups")

    assert "Sorry." in [event["content"] for event in of_type(events, "assistant_response")]
    assert "cups" not in of_type(events, "workflow_show_state")[-1]["runtime_variables"]


def test_import_loads_no_optional_packages():
    names = (
        "anthropic",
        "bm25s",
        "boto3",
        "httpx2",
        "jsonschema",
        "mcp",
        "numpy",
        "openai",
        "pydantic_ai",
        "scipy",
    )
    code = f"import sys, debugger.backends.embedded\nprint([name for name in {names} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_missing_client_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)

    with pytest.raises(RunError, match=r"pip install 'workflow-debugger\[llm\]'"):
        responder().reply(prompt({"type": "openai_llm"}))
