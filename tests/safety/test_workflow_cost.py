"""Attacks on the cost of workflows: super nodes and transformations."""

from __future__ import annotations

import pytest

from debugger.engine.json_paths import parse_path
from debugger.engine.nodes.deduplicate import without_duplicates
from debugger.engine.nodes.field_extractor import extract
from debugger.engine.super_nodes import expand
from debugger.errors import RunError
from debugger.protocol.workflow import Workflow
from tests.safety.bounded_child import run_bounded

MEGABYTE = 1_000_000


def super_node(name, inner, **more):
    return {"type": "super_node", "logical_id": name, "encapsulated_workflow_config": inner, **more}


def stored(name, workflow_id, **more):
    return {"type": "super_node", "logical_id": name, "super_workflow_id": workflow_id, **more}


def document(*nodes, edges=(), name="w"):
    first, *rest = nodes
    return {
        "workflow_config": {"name": name},
        "node_configs": [{**first, "is_start": True}, *rest],
        "edge_configs": list(edges),
    }


def say(name, text="Hello."):
    return {
        "type": "say_static",
        "logical_id": name,
        "static_messages_config": {"static_messages": [text]},
    }


def direct(source, destination, number, **more):
    return {
        "type": "direct",
        "logical_id": f"e{number}",
        "source_node_logical_id": source,
        "destination_node_logical_id": destination,
        **more,
    }


def refusal(outer, **by_id):
    """Return the sentence with which an expansion is refused."""
    loaded = {name: Workflow.from_wire(each) for name, each in by_id.items()}
    workflow = Workflow.from_wire(outer)

    def attack():
        with pytest.raises(RunError) as caught:
            expand(workflow, lambda workflow_id, _version: loaded[workflow_id])
        return str(caught.value)

    outcome = run_bounded(attack)
    assert outcome.grown_bytes < 400 * MEGABYTE
    return outcome.value


@pytest.mark.parametrize("text", ["x" * 400_000, "[[a.b]]" + "x" * 400_000], ids=["plain", "rewritten"])
def test_long_text_in_super_nodes_is_refused(text):
    outer = document(*(stored(f"s{number}", "leaf") for number in range(400)))

    assert "10 million characters" in refusal(outer, leaf=document(say("a", text)))


def test_triggers_of_edges_count_as_edges():
    inner = document(*(say(f"n{number}") for number in range(3_000)))
    armed = {"enabled": True, "trigger_node_logical_ids": ["s"] * 100}
    edges = [
        {
            "type": "conditional",
            "logical_id": f"e{number}",
            "source_node_logical_id": "a",
            "destination_node_logical_id": "a",
            "evaluate_while_waiting_config": armed,
        }
        for number in range(200)
    ]

    assert "100000 edges" in refusal(document(super_node("s", inner), say("a"), edges=edges))


def test_many_edges_from_super_node_cost_little():
    llm = [{"type": "worker_llm", "logical_id": f"n{number}"} for number in range(5_000)]
    inner = document(*llm, edges=[direct(f"n{at}", f"n{at + 1}", at) for at in range(4_999)])
    edges = [direct("s", "a", number) for number in range(8_000)]
    workflow = Workflow.from_wire(document(super_node("s", inner), say("a"), edges=edges))

    outcome = run_bounded(lambda: len(expand(workflow, lambda *_: None).workflow.edge_configs))

    assert outcome.value == 8_000 + 4_999


def test_many_mapped_values_cost_little():
    inner = document(*(say(f"n{number}") for number in range(12_000)))
    fields = [
        {
            "name": f"f{number}",
            "mappings": [
                {
                    "target_type": "node_config_field",
                    "target_node_or_edge_logical_id": f"n{11_999 - number}",
                    "target_field_path": "name",
                }
            ],
        }
        for number in range(12_000)
    ]
    node = super_node(
        "s",
        inner,
        super_node_interface={"input_fields": fields},
        field_values={each["name"]: "x" for each in fields},
    )
    workflow = Workflow.from_wire(document(node))

    outcome = run_bounded(lambda: expand(workflow, lambda *_: None).workflow.node_configs[0].name)

    assert outcome.value == "x"


def test_long_path_in_super_node_costs_little():
    inner = document(say("a", f"[[x{'.b' * 200_000}]]"))
    workflow = Workflow.from_wire(document(super_node("s", inner)))

    outcome = run_bounded(lambda: len(expand(workflow, lambda *_: None).workflow.node_configs))

    assert outcome.value == 1
    assert outcome.cpu_seconds < 1


def test_long_alias_is_not_multiplied():
    inner = document(say("a", "{{who}}" * 20_000))
    interface = {
        "input_fields": [
            {
                "name": "who",
                "mappings": [{"target_type": "dynamic_variable", "target_variable_name": "who"}],
            }
        ]
    }
    node = super_node(
        "s", inner, super_node_interface=interface, field_values={"who": "{{a%s}}" % (".b" * 20_000)}
    )
    workflow = Workflow.from_wire(document(node))

    outcome = run_bounded(lambda: len(repr(expand(workflow, lambda *_: None).workflow.to_wire())))

    assert outcome.value < MEGABYTE


# --- transforming nodes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "element",
    [
        lambda number: number * (2**61 - 1),
        lambda number: [number * (2**61 - 1)],
    ],
    ids=["numbers", "lists"],
)
def test_deduplicate_takes_linear_time_on_colliding_keys(element):
    rows = [{"key": element(number)} for number in range(30_000)]

    outcome = run_bounded(lambda: len(without_duplicates(rows, parse_path("key"))))

    assert outcome.value == 30_000
    assert outcome.cpu_seconds < 2


def test_many_paths_into_many_members_cost_little():
    paths = [parse_path(f"[].k{number}.a") for number in range(20_000)]
    rows = [{f"k{number}": {"a": 1, "b": 2} for number in range(20_000)}]

    outcome = run_bounded(lambda: len(extract(rows, paths)[0]))

    assert outcome.value == 20_000
    assert outcome.cpu_seconds < 2


def test_many_indexes_into_long_list_cost_little():
    paths = [parse_path(f"[{number}]") for number in range(10_000)]

    outcome = run_bounded(lambda: len(extract(list(range(20_000)), paths)))

    assert outcome.value == 10_000
    assert outcome.cpu_seconds < 2
