from __future__ import annotations

from debugger.engine.super_nodes import unfold
from tests.support.factories import direct, document, say, static, workflow
from tests.support.super_nodes import expanded, super_node

PAY = document(static("card", "Your card?"), say("ask"), direct("card", "ask"))
BOOKING = document(static("day", "Which day?"), super_node("pay", PAY), direct("day", "pay"))


def booking(**fields: object):
    return workflow(static("hi", "Hi"), super_node("booking", BOOKING, **fields), direct("hi", "booking"))


def test_unfold_puts_inner_nodes_beside_their_super_node():
    written = booking()

    graph, groups = unfold(written, expanded(written), {"booking"})

    assert list(graph.nodes) == ["hi", "booking", "booking/day", "booking/pay"]
    assert [(group.id, group.members) for group in groups] == [("booking", ("booking/day", "booking/pay"))]
    ends = [(edge.source_node_logical_id, edge.destination_node_logical_id) for edge in graph.edges.values()]
    assert ends == [("hi", "booking"), ("booking/day", "booking/pay")]


def test_unfold_opens_nested_super_nodes():
    written = booking()

    graph, groups = unfold(written, expanded(written), {"booking", "booking/pay"})

    assert [group.id for group in groups] == ["booking", "booking/pay"]
    assert {"booking/pay", "booking/pay/card", "booking/pay/ask"} <= graph.nodes.keys()


def test_unfold_leaves_out_what_is_in_a_closed_super_node():
    written = booking()

    graph, groups = unfold(written, expanded(written), {"booking/pay"})

    assert list(graph.nodes) == ["hi", "booking"]
    assert groups == ()


def test_unfold_opens_everything_by_default():
    written = booking()

    assert len(unfold(written, expanded(written)).groups) == 2


def test_unfold_leaves_global_setting_to_the_super_node():
    condition = {"condition_freeform": "wants to book"}
    written = booking(global_node_config={"is_global": True, "condition": condition})

    graph, _ = unfold(written, expanded(written))

    assert [node.logical_id for node in graph.global_nodes] == ["booking"]
