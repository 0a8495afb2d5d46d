from __future__ import annotations

import json
import re
from typing import Any

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.models import Script
from debugger.expressions import parse
from debugger.graph.checks import check
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES, script_for

DOCUMENTS = [
    pytest.param(document, id=name)
    for sample in SAMPLES
    for name, document in zip(sample.versions, sample.load_documents(), strict=True)
]
NODE_COUNTS = {
    "workflow_tea_welcome": {2},
    "workflow_city_services": {125},
    "workflow_lab_results": {23},
    "workflow_clinic_front_desk": {17, 18},
}


def successors(document: dict[str, Any]) -> dict[str, set[str]]:
    """The nodes that each node leads to.

    A global node can be entered from every node that calls a model; a guardrail node leads to the escalation.
    """
    strikes = document["workflow_config"].get("guardrail_strikes_config", {})
    nodes = document["node_configs"]
    places = {node["logical_id"] for node in nodes if "global_node_config" in node}
    found = {
        node["logical_id"]: set(places) if node["type"] in ("say_llm", "worker_llm") else set()
        for node in nodes
    }
    for edge in document["edge_configs"]:
        found[edge["source_node_logical_id"]].add(edge["destination_node_logical_id"])
    for node in nodes:
        if node.get("is_guardrail_node"):
            found[node["logical_id"]].add(strikes["escalation_node_logical_id"])
    return found


def beside(document: dict[str, Any]) -> set[str]:
    """Return nodes reached only through companion edges or threads."""
    edges = document["edge_configs"]
    companions = [
        edge["destination_node_logical_id"]
        for edge in edges
        if edge["type"] == "companion" or edge.get("companion_thread_config")
    ]
    own = {node: set() for node in successors(document)}
    for edge in edges:
        own[edge["source_node_logical_id"]].add(edge["destination_node_logical_id"])
    return set().union(*(reached(node, own) for node in companions))


def reached(start: str, leads_to: dict[str, set[str]]) -> set[str]:
    seen, waiting = {start}, [start]
    while waiting:
        new = leads_to[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sample_has_no_problem(document):
    workflow = Workflow.from_document(document)

    problems = check(workflow, EmbeddedBackend.node_types)

    assert problems == []
    assert workflow.to_wire() == document
    assert len(workflow.node_configs) in NODE_COUNTS[workflow.config.logical_id]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_ids_are_unique_and_edges_lead_to_nodes(document):
    nodes = [node["logical_id"] for node in document["node_configs"]]
    edges = [edge["logical_id"] for edge in document["edge_configs"]]
    ends = {
        edge[f"{end}_node_logical_id"]
        for edge in document["edge_configs"]
        for end in ("source", "destination")
    }

    assert len({*nodes, *edges}) == len(nodes) + len(edges)
    assert ends <= set(nodes)
    assert all(re.fullmatch(r"node_[a-z_]+", node) for node in nodes)
    assert all(re.fullmatch(r"edge_[a-z0-9_]+", edge) for edge in edges)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_node_is_between_start_and_end(document):
    starts = [node["logical_id"] for node in document["node_configs"] if node.get("is_start")]
    leads_to = successors(document)
    ends = {node for node, nexts in leads_to.items() if not nexts}
    types = {node["logical_id"]: node["type"] for node in document["node_configs"]}

    assert len(starts) == 1
    assert reached(starts[0], leads_to) == set(leads_to)
    assert all(reached(node, leads_to) & ends for node in leads_to)
    assert {types[node] for node in ends - beside(document)} == {"say_static"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sample_runs_without_network(document):
    types = {node["type"] for node in document["node_configs"]}
    tools = [node["tool_config"] for node in document["node_configs"] if node["type"] == "tool_node"]
    tools += [
        tool for node in document["node_configs"] for tool in node.get("tools_config", {}).get("tools", ())
    ]
    requests = [node for node in document["node_configs"] if node["type"] == "http_request"]

    assert types <= EmbeddedBackend.node_types
    assert {tool["type"] for tool in tools} <= {"inline_python"}
    assert {request["method"] for request in requests} <= {"POST"}, "reads are let out, writes are not"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_conditional_edge_has_a_valid_condition(document):
    conditional = [edge for edge in document["edge_configs"] if edge["type"] == "conditional"]

    for edge in conditional:
        condition = edge["condition"]
        assert condition.get("condition_freeform") or parse(condition["condition_expression"]).references


@pytest.mark.parametrize("document", DOCUMENTS)
def test_dynamic_variables_match_their_defaults(document):
    text = json.dumps(document)
    defaults = document["workflow_config"]["miscellaneous"]["default_dynamic_variables"]
    used = set(re.findall(r"\{\{\s*(\w+)", text))

    assert used - {"now"} == set(defaults)
    assert "global_node_config" not in text or len(re.findall('"is_global": true', text)) == 2


@pytest.mark.parametrize("document", DOCUMENTS)
def test_addresses_and_numbers_are_fictional(document):
    text = json.dumps(document)

    assert all(host.endswith(".example") for host in re.findall(r"://([^/\"]*)", text))
    assert all(number.startswith("555-01") for number in re.findall(r"\b\d{3}-\d{4}\b", text))
    assert all(re.search(r"55501\d\d$", number) for number in re.findall(r"\+\d{8,}", text))


def test_city_has_its_promised_branches():
    city = next(sample for sample in SAMPLES if sample.name == "City services").load_documents()[0]

    assert 1.5 < len(city["edge_configs"]) / len(city["node_configs"]) < 1.8
    assert {node["type"] for node in city["node_configs"]} == {"say_static", "say_llm", "no_op"}


def test_clinic_versions_differ_in_node_and_greeting():
    first, second = next(sample for sample in SAMPLES if len(sample.versions) == 2).load_documents()
    ids = [{node["logical_id"] for node in document["node_configs"]} for document in (first, second)]
    greetings = [
        document["node_configs"][0]["static_messages_config"]["static_messages"][0]
        for document in (first, second)
    ]

    assert ids[1] - ids[0] == {"node_urgent_advice"}
    assert ids[0] < ids[1]
    assert len(greetings[0]) < len(greetings[1])
    assert first["workflow_config"]["logical_id"] == second["workflow_config"]["logical_id"]


def test_sample_has_name_of_its_workflow():
    for sample in SAMPLES:
        assert {document["workflow_config"]["name"] for document in sample.load_documents()} == {sample.name}


def test_script_is_found_by_workflow_name():
    for sample in SAMPLES:
        text = script_for(sample.load_documents()[0]["workflow_config"]["logical_id"])

        assert text == sample.script_text()
        if text is not None:
            assert Script.load(text).workflow == sample.load_documents()[0]["workflow_config"]["logical_id"]


def test_other_workflow_has_no_script():
    assert script_for("workflow_of_someone_else") is None
