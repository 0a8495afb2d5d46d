from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.nodes.llm.prompts import model_of, without_secrets
from debugger.protocol.workflow import NodeConfig, WorkflowConfig

OWN = {"type": "openai_llm", "model": "own"}
SHARED = {"type": "google_llm", "model": "shared"}
DEFERS = {"type": "global_default_llm"}


def chosen(node: dict[str, Any], workflow: dict[str, Any], *, speaks: bool = True) -> Any:
    return model_of(
        NodeConfig.from_wire({"logical_id": "a", **node}), WorkflowConfig.from_wire(workflow), speaks=speaks
    )


@pytest.mark.parametrize(
    ("node", "workflow", "found"),
    [
        ({"llms_config": OWN}, {"llms_config": SHARED}, OWN),
        ({"llms_config": DEFERS}, {"llms_config": SHARED}, SHARED),
        ({}, {"llms_config": SHARED}, SHARED),
        ({"llms_config": None}, {}, None),
        ({"llms_config": {"type": "no_llm"}}, {"llms_config": SHARED}, {"type": "no_llm"}),
        (
            {"attachable_llm_config_id": "n", "llms_config": OWN},
            {"attachable_llm_config_id": "w", "llms_config": SHARED},
            {**OWN, "attachable_llm_config_id": "n"},
        ),
        (
            {"attachable_llm_config_id": "n", "llms_config": DEFERS},
            {"attachable_llm_config_id": "w", "llms_config": SHARED},
            {**SHARED, "attachable_llm_config_id": "n"},
        ),
        ({"llms_config": OWN}, {"attachable_llm_config_id": "w"}, OWN),
        ({}, {"attachable_llm_config_id": "w"}, {"attachable_llm_config_id": "w"}),
    ],
)
def test_node_model_wins_over_workflow_model(node, workflow, found):
    assert chosen(node, workflow) == found


def test_a_silent_answer_has_no_backchannel():
    group = {"type": "llm_group_with_backchannel", "main_llm_config": OWN}

    assert chosen({"llms_config": group}, {}) == group
    assert chosen({"llms_config": group}, {}, speaks=False) == OWN


def test_secrets_are_dropped_and_api_key_masked():
    config = {
        "type": "llm_group",
        "max_tokens": 9,
        "response_unwrap_key": "answer",
        "llms": [
            {"api_key": "k", "model": "m", "aws_secret_access_key": "s", "aws_access_key_id": "i"},
            {"default_headers": {"Authorization": "Bearer t", "X-Api-Key": "k", "X-Team": "t"}},
            {"integration_auth": {"integration_id": 1}, "model_kwargs": {"access_token": "t", "top_p": 1}},
        ],
    }

    assert without_secrets(config) == {
        "type": "llm_group",
        "max_tokens": 9,
        "response_unwrap_key": "answer",
        "llms": [
            {"api_key": "***", "model": "m"},
            {"default_headers": {"X-Team": "t"}},
            {"model_kwargs": {"top_p": 1}},
        ],
    }
