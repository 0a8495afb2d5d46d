from __future__ import annotations

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.engine.outbound import Secrets
from debugger.engine.outbound.gateway import BlockedGateway
from debugger.engine.run_notes import run_notes
from debugger.protocol.runs import TurnInput
from tests.support.factories import direct, node, say, static, workflow


def test_broken_rules_of_saving_are_noted():
    flow = workflow(static("a", "A"), static("b", "B"), static("c", "C"), direct("a", "b"), direct("a", "c"))

    first, note = run_notes(flow, flow, ["Expanded."])

    assert first.text == "Expanded."
    assert "'A'" in note.text
    assert "The platform refuses to save such a workflow." in note.text


def test_rule_that_is_broken_in_many_places_is_noted_a_few_times():
    hot = {"type": "openai_llm", "temperature": 7}
    flow = workflow(*(say(f"n{number}", llms_config=hot) for number in range(300)))

    notes = run_notes(flow, flow)

    assert len(notes) == 10 + 1
    assert (
        notes[-1].text
        == "290 more places break the rule 'temperature-out-of-range'; the checks name them all."
    )


def test_what_only_the_platform_has_is_noted_once():
    prompt = {"main_response_config": {"prompt": "<<<managed_prompt:tone>>> <<<managed_prompt:safety>>>"}}
    llm = {"type": "openai_llm", "streaming": True}
    nodes = [node(node_id, "say_llm", **prompt, llms_config=llm) for node_id in ("a", "b")]
    flow = workflow(*nodes, direct("a", "b"))

    notes = run_notes(flow, flow)

    assert [
        next(word for word in ("tone", "safety", "streaming") if word in note.text) for note in notes
    ] == [
        "tone",
        "safety",
        "streaming",
    ]


def test_nothing_is_noted_of_a_plain_workflow():
    flow = workflow(say("chat"))

    assert run_notes(flow, flow) == ()


API = {
    "type": "external_api",
    "name": "slots",
    "api_endpoint": "{{interactly_api_base_url}}/slots",
    "integration_auth": {"integration_id": "okta"},
}
MODEL = {"type": "custom_llm", "model": "m", "integration_auth": {"integration_id": "okta"}}


def warned(flow, secrets=None, variables=None):
    """The warnings of a run's first turn."""
    interpreter = Interpreter(
        flow,
        HeuristicModel(),
        open_gateway=lambda: BlockedGateway(secrets=Secrets(secrets or {})),
        notes=run_notes(flow, flow),
    )
    turn_input = TurnInput.with_message(None, dynamic_variables=variables or {})
    events = [event.to_wire() for event in interpreter.turn(interpreter.begin(turn_input), turn_input)]
    return [event["warning_message"] for event in events if event["type"] == "workflow_warning"]


@pytest.mark.parametrize(
    ("secrets", "variables", "told"),
    [
        ({}, {}, ["okta", "interactly_api_base_url"]),
        ({"okta": "Bearer t"}, {}, ["interactly_api_base_url"]),
        ({}, {"okta": "Bearer t"}, ["okta", "interactly_api_base_url"]),
        ({}, {"interactly_api_base_url": "https://a.example"}, ["okta"]),
        ({"okta": "Bearer t", "interactly_api_base_url": "https://a.example"}, {}, []),
    ],
)
def test_what_stands_in_for_the_platform_needs_no_warning(secrets, variables, told):
    warnings = warned(workflow(node("call", "tool_node", tool_config=API)), secrets, variables)

    named = [text for text in warnings if "platform" in text]
    assert len(named) == len(told)
    assert all(name in text for name, text in zip(told, named, strict=True))


def test_secret_of_a_tools_integration_is_none_for_a_model():
    flow = workflow(node("call", "tool_node", tool_config=API), say("chat", llms_config=MODEL))

    named = [text for text in warned(flow, {"okta": "Bearer t"}) if "'okta'" in text]

    assert len(named) == 1
    assert "the model of 'llms_config' takes its token" in named[0]


def test_variable_without_a_name_hides_no_warning():
    flow = workflow(static("a", "A"), static("b", "B"), static("c", "C"), direct("a", "b"), direct("a", "c"))

    assert warned(flow, variables={"": 1}) == warned(flow) != []
