from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.models.base import Prompt, Reply
from debugger.errors import RunError
from tests.support.factories import Json, document, everywhere, node, say, static, tool, when, workflow
from tests.support.super_nodes import Run, expanded, super_node

OUTER = {"type": "openai_llm", "model": "outer"}
INNER = {"type": "openai_llm", "model": "inner"}
OWN = {"type": "openai_llm", "model": "own"}
PUT = {"type": "openai_llm", "model": "put"}
DEFERS = {"type": "global_default_llm"}


def models(inside: Json, **fields: Any) -> dict[str, Json]:
    """The model of each node, by id, after a super node with these fields was expanded."""
    found = expanded(workflow(super_node("s", inside, **fields), say("outer"), llms_config=OUTER)).workflow
    assert found.config.llms_config == OUTER
    return {each.logical_id: (each.model_extra or {}).get("llms_config") for each in found.node_configs}


def two(**config: Any) -> Json:
    """A workflow of a node that defers to its workflow's model and one that has its own."""
    return document(say("a"), say("b", llms_config=OWN), static("c"), **config)


@pytest.mark.parametrize(
    ("config", "fields", "a", "b"),
    [
        ({"llms_config": INNER}, {}, INNER, OWN),
        ({"llms_config": {"type": "no_llm"}}, {}, DEFERS, OWN),
        ({}, {}, DEFERS, OWN),
        ({"llms_config": INNER}, {"llms_config": PUT}, INNER, OWN),
        ({"llms_config": INNER}, {"override_llm_config": True, "llms_config": PUT}, PUT, PUT),
        (
            {"llms_config": INNER},
            {"override_llm_config": True, "override_only_workflow_default_nodes": True, "llms_config": PUT},
            PUT,
            OWN,
        ),
        ({"llms_config": INNER}, {"override_llm_config": True, "llms_config": DEFERS}, DEFERS, DEFERS),
        ({"llms_config": INNER}, {"override_llm_config": True}, DEFERS, DEFERS),
    ],
)
def test_inner_node_inherits_its_model(config, fields, a, b):
    found = models(two(**config), **fields)

    assert found == {"outer": None, "s/a": a, "s/b": b, "s/c": None}


def test_a_saved_model_wins_over_a_configuration():
    inside = document(say("a", llms_config=OWN), attachable_llm_config_id="inner", llms_config=INNER)
    fields = {"override_llm_config": True, "attachable_llm_config_id": "saved", "llms_config": PUT}

    [a] = expanded(workflow(super_node("s", inside, **fields))).workflow.node_configs

    assert (a.model_extra["attachable_llm_config_id"], a.model_extra["llms_config"]) == ("saved", PUT)


def test_inner_model_judges_edges_and_transcripts():
    inside = document(
        static("a"),
        node("end", "end_conversation", process_transcript_prompt={"prompt": "Sum up."}),
        when("a", "end", freeform="it is over"),
        llms_config=INNER,
    )
    asked: list[tuple[str, Any]] = []

    class Model:
        def reply(self, prompt: Prompt) -> Reply:
            asked.append((prompt.kind, prompt.llm))
            return Reply(text="Done.", chosen=prompt.choices[0] if prompt.choices else None)

    Run(workflow(super_node("s", inside), llms_config=OUTER), Model()).turn("hi")

    assert asked == [("judge", INNER), ("work", INNER)]


def test_outermost_replacement_of_models_wins():
    inside = document(super_node("deep", two(), override_llm_config=True, llms_config=INNER))

    found = models(inside, override_llm_config=True, llms_config=PUT)

    assert found == {"outer": None, "s/deep/a": PUT, "s/deep/b": PUT, "s/deep/c": None}


def test_nested_super_node_gets_parents_default():
    inside = document(
        super_node("deep", two(), override_llm_config=True, llms_config=DEFERS), llms_config=INNER
    )

    found = models(inside)

    assert found == {"outer": None, "s/deep/a": INNER, "s/deep/b": INNER, "s/deep/c": None}


def test_tools_belong_to_their_workflow():
    inner, outer, own = ({"type": "inline_python", "name": name} for name in ("inner", "outer", "own"))
    inside = document(
        say("a", tools_config={"tools": [own]}), tool("t", ""), tools_config={"tools": [inner, own]}
    )
    given = workflow(super_node("s", inside), say("b"), static("c"), tools_config={"tools": [outer]})

    found = expanded(given).workflow

    tools = {each.logical_id: (each.model_extra or {}).get("tools_config") for each in found.node_configs}
    assert tools == {
        "b": {"tools": [outer]},
        "c": None,
        "s/a": {"tools": [own, inner]},
        "s/t": None,
    }
    assert found.config.tools_config is None


def test_mcp_servers_reach_their_nodes():
    server = {"server_url": "https://tools.example"}
    inside = document(say("a", use_mcp_tools=True), say("b"), mcp_servers=[server])

    found = expanded(workflow(super_node("s", inside), mcp_servers=[{"server_url": "https://outer.example"}]))

    servers = [each.model_extra.get("mcp_servers") for each in found.workflow.node_configs]
    assert servers == [[server], None]


def test_node_can_ignore_prefix_and_suffix():
    inside = document(
        say("a", "Own.", ignore_default_prompt_prefix=True),
        say("b", "Own.", ignore_default_prompt_suffix=True),
        node("c", "say_llm"),
        default_prompt_prefix="Before.",
        default_prompt_suffix="After.",
    )

    found = expanded(workflow(super_node("s", inside))).workflow

    prompts = [each.model_extra["main_response_config"]["prompt"] for each in found.node_configs]
    assert prompts == ["Own.\n\nAfter.", "Before.\n\nOwn.", "Before.\n\nAfter."]


def test_inner_prompt_must_be_text():
    inside = document(node("a", "say_llm"), main_response_config={"prompt": 5})

    with pytest.raises(
        RunError, match="The workflow 'Test' has a main_response_config with a prompt that is no"
    ):
        expanded(workflow(super_node("s", inside)))


def test_inner_global_node_uses_its_method():
    inside = document(
        say("a"),
        say("g", global_node_config=everywhere("help")),
        global_condition_evaluation_method="independent_llm_evaluations",
    )

    found = expanded(workflow(super_node("s", inside))).workflow

    settings = found.node_configs[1].global_node_config
    assert settings.global_condition_edge_evaluation_method == "independent_llm_evaluations"


def test_flags_and_fillers_reach_inner_nodes():
    flag = "ignore_content_received_during_llm_tool_call_specification"
    inside = document(say("a"), backchannel_response_config={"prompt": "Hm."}, **{flag: True})

    [a] = expanded(workflow(super_node("s", inside))).workflow.node_configs

    assert a.model_extra["backchannel_response_config"] == {"prompt": "Hm."}
    assert a.model_extra[flag] is True


def test_what_cannot_be_taken_over_is_warned_of():
    retry = {"enabled": True, "max_retries": 2}
    inside = document(static("a"), guardrail_strikes_config={"max_guardrail_nodes_before_escalation": 1})

    expansion = expanded(workflow(super_node("s", inside, self_loop_config=retry)))

    strikes, loop = expansion.warnings
    assert "Super node 'S' (s): its workflow's 'guardrail_strikes_config' is not used" in strikes
    assert "Super node 'S' (s): its bounded retry is ignored" in loop
