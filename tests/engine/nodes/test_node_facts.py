"""Test that the engine's node types agree with the facts that the other parts read."""

from __future__ import annotations

import pytest

from debugger.engine.nodes import NODE_TYPES
from debugger.graph.node_types import MODEL_NODES, NODE_FACTS


def test_facts_are_of_all_node_types():
    assert NODE_FACTS.keys() == NODE_TYPES.keys() | {"super_node"}


@pytest.mark.parametrize("name", NODE_TYPES)
def test_facts_equal_defaults_of_config(name):
    facts, fields = NODE_FACTS[name], NODE_TYPES[name].Config.model_fields
    expected = dict(facts.flag_defaults)
    if facts.result_field:
        expected[facts.result_field] = facts.result_name

    assert {field: fields[field].default for field in expected} == expected
    assert (name in MODEL_NODES) == ("wait_for_user_message" in fields)
