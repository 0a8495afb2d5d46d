"""Test that the engine's node types agree with the facts that the other parts read."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import pytest

from debugger.engine import nodes
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.base import Node, UnsupportedNode
from debugger.graph.node_types import MODEL_NODES, NODE_FACTS


def test_each_module_of_a_node_is_in_the_table():
    found = pkgutil.walk_packages(nodes.__path__, f"{nodes.__name__}.")
    members = [each for module in found for each in vars(import_module(module.name)).values()]
    classes = {each for each in members if inspect.isclass(each) and issubclass(each, Node)}
    whole = {each for each in classes if not inspect.isabstract(each) and each is not UnsupportedNode}
    table = {*NODE_TYPES.values()}

    assert {each for each in whole if each in table or not each.__subclasses__()} == table


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
