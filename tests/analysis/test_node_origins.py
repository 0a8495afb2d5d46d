from __future__ import annotations

import pytest

from debugger.analysis.node_origins import (
    author_edge_id,
    author_node_id,
    origin_label,
    super_nodes_around,
)
from debugger.engine.super_nodes import expand
from debugger.graph import Graph
from tests.support.factories import direct, document, node, static, when, workflow


@pytest.mark.parametrize(
    ("node_id", "belongs_to"),
    [
        ("hello", "hello"),
        ("booking/ask", "booking"),
        ("booking/pay/card", "booking"),
        ("a/b", "a/b"),
        ("a/b/c", "a/b"),
        ("unknown", "unknown"),
        ("/ask", "/ask"),
    ],
)
def test_author_node_id_of_inner_nodes(node_id, belongs_to):
    own = {"hello", "booking", "a", "a/b"}

    found = author_node_id(node_id, own)

    assert found == belongs_to


def test_author_ids_of_an_expanded_workflow():
    card = document(static("card", "Card?"))
    pay = document(
        static("price", "10"),
        node("pay", "super_node", encapsulated_workflow_config=card),
        direct("price", "pay"),
    )
    drawn = workflow(
        static("hello", "Hello"),
        node("booking", "super_node", encapsulated_workflow_config=pay),
        static("bye", "Bye"),
        direct("hello", "booking"),
        when("booking", "bye", "1 == 1"),
    )
    graph = Graph(drawn)

    expansion = expand(drawn, lambda *_: pytest.fail("nothing is stored"))

    nodes = {
        each.logical_id: author_node_id(each.logical_id, graph.nodes)
        for each in expansion.workflow.node_configs
    }
    edges = {
        each.logical_id: author_edge_id(each.logical_id, graph.edges)
        for each in expansion.workflow.edge_configs
    }
    assert nodes == {
        "hello": "hello",
        "bye": "bye",
        "booking/price": "booking",
        "booking/pay/card": "booking",
    }
    assert edges == {
        "edge_hello_booking": "edge_hello_booking",
        "booking/edge_price_pay": None,
        "edge_booking_bye@booking/pay/card": "edge_booking_bye",
    }
    assert {node_id: super_nodes_around(node_id, graph.nodes) for node_id in nodes} == {
        "hello": (),
        "bye": (),
        **expansion.origins,
    }


def test_label_of_names_super_nodes():
    names = {"booking": "Booking"}

    labels = [
        origin_label("Hello", (), names),
        origin_label("Ask name", ("booking",), names),
        origin_label("Card", ("booking", "booking/pay"), names),
    ]

    assert labels == ["Hello", "Booking › Ask name", "Booking › pay › Card"]
