from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.engine.super_nodes import expand, unfold
from debugger.engine.super_nodes.expand import MOST_EDGES, MOST_LEVELS, MOST_NODES
from debugger.errors import RunError
from debugger.protocol.workflow import Workflow
from tests.support.factories import (
    Json,
    direct,
    document,
    everywhere,
    node,
    say,
    static,
    tool,
    when,
    worker,
    workflow,
)
from tests.support.super_nodes import Shelf, expanded, super_node


def chain(count: int, *more: Json) -> Json:
    """A workflow of static nodes in a row."""
    names = [f"n{number}" for number in range(count)]
    nodes = [static(name, "[[n0.x]]") for name in names]
    return document(*nodes, *(direct(*pair) for pair in pairwise(names)), *more)


def nested(levels: int, count: int) -> Json:
    """A row of static nodes, its last leading to a super node, and so on inside that."""
    found = chain(count)
    for _ in range(levels):
        found = chain(count, super_node("s", found), direct(f"n{count - 1}", "s"))
    return found


def ids(parts: list) -> list[str]:
    return [part.logical_id for part in parts]


def ends(edges: list) -> list[tuple[str, str]]:
    return [(edge.source_node_logical_id, edge.destination_node_logical_id) for edge in edges]


def test_expand_without_super_nodes_returns_same():
    plain = workflow(static("a"), super_node("off", disabled=True, super_workflow_id="missing"))

    expansion = expanded(plain)

    assert expansion.workflow is plain
    assert (expansion.origins, expansion.warnings, expansion.loaded) == ({}, (), frozenset())


def test_the_given_workflow_is_not_changed():
    inside = document(say("a", "[[a.x]]"), tools_config={"tools": [{"name": "t"}]})
    drawn = workflow(super_node("s", inside), say("b"), tools_config={"tools": [{"name": "u"}]})
    before = repr(drawn.to_wire())

    expanded(drawn)

    assert repr(drawn.to_wire()) == before


def test_inner_ids_have_super_node_prefixes():
    card = document(static("card"))
    pay = document(static("price"), super_node("how", card), direct("price", "how"))
    drawn = workflow(super_node("pay", pay), static("card"), direct("pay", "card"))

    expansion = expanded(drawn)

    assert ids(expansion.workflow.node_configs) == ["card", "pay/price", "pay/how/card"]
    assert ids(expansion.workflow.edge_configs) == ["pay/edge_price_how", "edge_pay_card@pay/how/card"]
    assert expansion.origins == {"pay/price": ("pay",), "pay/how/card": ("pay", "pay/how")}
    origins = [(node.model_extra or {}).get("super_node_origin") for node in expansion.workflow.node_configs]
    assert origins == [None, ["pay"], ["pay", "pay/how"]]


def test_taken_inner_id_is_rejected():
    drawn = workflow(super_node("s", document(static("a"))), static("s/a"))

    with pytest.raises(RunError, match=r"Super node 'S' \(s\) has an inner node .* called 's/a'.*Rename"):
        expanded(drawn)


def test_start_node_is_unique():
    first, second = document(static("a"), static("b")), document(static("a"))
    drawn = workflow(super_node("one", first), super_node("two", second), direct("one", "two"))

    expansion = expanded(drawn)

    assert [each.logical_id for each in expansion.workflow.node_configs if each.is_start] == ["one/a"]


def test_qualified_variables_follow_new_ids():
    inside = document(
        tool(
            "t", "def t(x): return x", {"x": ["[[t.tool_result.deep]]", "[[T.tool_result]]", "[[other.x]]"]}
        ),
        say("ask", "{{t.x}} [[t.x | upcase]] [[thread_bg.t.x]] [[ t.x ]] [[1, 2]]"),
        node("dedupe", "deduplicate", input_runtime_variable_name="t.tool_result"),
        when("ask", "t", "isPresent([[ask.x]]) AND [[x]] == '[[t.y]]'"),
    )
    inside["node_configs"][0]["tool_config"]["variable_arguments"] = [
        {"argument_name": "y", "variable_path": "ask.name"}
    ]

    expansion = expanded(workflow(super_node("s", inside), say("outer", "[[t.x]]")))

    outer, called, ask, dedupe = [each.model_extra for each in expansion.workflow.node_configs]
    assert outer["main_response_config"]["prompt"] == "[[t.x]]"
    assert called["tool_arguments"] == {"x": ["[[s/t.tool_result.deep]]", "[[T.tool_result]]", "[[other.x]]"]}
    assert called["tool_config"]["variable_arguments"][0]["variable_path"] == "s/ask.name"
    assert ask["main_response_config"]["prompt"] == (
        "{{t.x}} [[s/t.x | upcase]] [[thread_bg.s/t.x]] [[ s/t.x ]] [[1, 2]]"
    )
    assert dedupe["input_runtime_variable_name"] == "s/t.tool_result"
    condition = expansion.workflow.edge_configs[0].condition
    assert condition.condition_expression == "isPresent([[s/ask.x]]) AND [[x]] == '[[s/t.y]]'"


def test_triggers_and_the_escalation_name_inner_nodes():
    waiting = {"enabled": True, "trigger_node_logical_ids": ["s", "poll"]}
    inner_waiting = {"enabled": True, "trigger_node_logical_ids": ["b"]}
    inside = document(
        say("a", self_loop=True),
        static("b"),
        when("a", "b", "[[x]] == 1", evaluate_while_waiting_config=inner_waiting),
    )
    drawn = workflow(
        say("talk"),
        super_node("s", inside),
        static("poll"),
        when("talk", "poll", "[[x]] == 1", evaluate_while_waiting_config=waiting),
        guardrail_strikes_config={
            "max_guardrail_nodes_before_escalation": 2,
            "escalation_node_logical_id": "s",
        },
    )

    expansion = expanded(drawn)

    triggers = [
        each.evaluate_while_waiting_config.trigger_node_logical_ids
        for each in expansion.workflow.edge_configs
    ]
    strikes = expansion.workflow.config.guardrail_strikes_config
    assert triggers == [["s/b"], ["s/b", "poll"]]
    assert strikes.escalation_node_logical_id == "s/a"


def test_direct_edges_leave_where_the_inner_workflow_ends():
    fork = {"is_companion_thread": True, "thread_id": "bg"}
    inside = document(
        static("start"),
        static("left"),
        static("right"),
        static("poll"),
        static("off", disabled=True),
        worker("beside"),
        static("back", global_node_config=everywhere("help", back="done")),
        when("start", "left", "[[x]] == 1"),
        direct("start", "right"),
        direct("start", "poll", companion_thread_config=fork),
        direct("left", "off"),
        direct("right", "missing", disabled=True),
        {**direct("right", "beside"), "type": "companion"},
    )
    drawn = workflow(super_node("s", inside), static("on"), direct("s", "on"))

    expansion = expanded(drawn)

    leaving = [pair for pair in ends(expansion.workflow.edge_configs) if pair[1] == "on"]
    assert leaving == [("s/right", "on"), ("s/off", "on")]


def test_only_direct_edge_forks_nothing():
    inside = document(
        static("a"), static("b"), direct("a", "b", companion_thread_config={"is_companion_thread": True})
    )

    expansion = expanded(workflow(super_node("s", inside), static("on"), direct("s", "on")))

    assert ("s/b", "on") in ends(expansion.workflow.edge_configs)


def test_conditional_edges_leave_models_and_end():
    deep = document(say("ask"), static("end"), direct("ask", "end"))
    inside = document(say("a"), say("off", disabled=True), super_node("d", deep), direct("a", "d"))
    drawn = workflow(super_node("s", inside), static("on"), when("s", "on", "[[x]] == 1"))

    expansion = expanded(drawn)

    leaving = [each for each in expansion.workflow.edge_configs if each.destination_node_logical_id == "on"]
    assert [each.source_node_logical_id for each in leaving] == ["s/a", "s/d/ask", "s/off", "s/d/end"]
    assert {(each.model_extra or {})["super_node_exit_origin"] for each in leaving} == {"s"}
    assert len(set(ids(leaving))) == 4


def test_endless_super_node_is_warned_of():
    ring = document(say("a"), say("b"), direct("a", "b"), direct("b", "a"))

    expansion = expanded(workflow(super_node("s", ring), static("on"), direct("s", "on")))

    [warning] = expansion.warnings
    assert "'edge_s_on' out of the super node 's' is never taken" in warning


def test_waiting_edge_out_of_super_node_fails():
    waiting = {"enabled": True, "trigger_node_logical_ids": ["on"]}
    drawn = workflow(
        super_node("s", document(say("a"))),
        static("on"),
        when("s", "on", "[[x]] == 1", evaluate_while_waiting_config=waiting),
    )

    with pytest.raises(RunError, match=r"Super node 'S' \(s\) is left by the edge 'edge_s_on'"):
        expanded(drawn)


def test_several_nodes_do_not_run_beside_one():
    inside = document(worker("a"), worker("b"), direct("a", "b"))
    drawn = workflow(say("talk"), super_node("s", inside), {**direct("talk", "s"), "type": "companion"})

    with pytest.raises(RunError, match="stands for several nodes, and the companion edge 'edge_talk_s'"):
        expanded(drawn)


def test_stored_workflow_is_loaded_once():
    shelf = Shelf(w=document(static("a")))
    drawn = workflow(
        super_node("one", super_workflow_id="w"),
        super_node("two", super_workflow_id="w"),
        super_node("three", super_workflow_id="w", super_workflow_version_number=2),
        super_node("four", document(static("b")), super_workflow_id="w", super_workflow_version_number=3),
    )

    expansion = expand(drawn, shelf.load)

    assert shelf.asked == [("w", None), ("w", 2)]
    assert expansion.loaded == {("w", None), ("w", 2)}
    assert ids(expansion.workflow.node_configs) == ["one/a", "two/a", "three/a", "four/b"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "names no workflow that it stands for. Set 'super_workflow_id'"),
        (
            {"super_workflow_id": "gone"},
            "'gone', its active version, which cannot be read: There is no workflow",
        ),
        (
            {"super_workflow_id": "gone", "super_workflow_version_number": 7},
            "'gone', version 7, which cannot be read: There is no workflow 'gone'. Import that workflow",
        ),
        ({"super_workflow_id": "w", "super_workflow_version_number": "7"}, "the workflow 'w' in version '7'"),
        ({"super_workflow_id": 5}, "stands for the workflow 5 in version None"),
        ({"encapsulated_workflow_config": {"a": 1}}, "cannot be read: This is not a workflow"),
        (
            {"encapsulated_workflow_config": {"node_configs": [{"type": "no_op"}], "edge_configs": []}},
            "cannot be read: Workflow: node_configs.0.logical_id",
        ),
        (
            {"encapsulated_workflow_config": {"node_configs": [], "edge_configs": []}},
            "stands for 'Untitled workflow', which has no start node",
        ),
    ],
)
def test_super_node_without_workflow_is_rejected(fields, told):
    drawn = workflow(node("booking", "super_node", **fields))

    with pytest.raises(RunError) as raised:
        expanded(drawn, w=document(static("a")))

    assert str(raised.value).startswith("Super node 'Booking' (booking) ")
    assert told in str(raised.value)


def test_recursion_error_names_the_chain():
    front_desk = document(static("hi"), super_node("b", super_workflow_id="booking"), name="Front desk")
    booking = document(
        static("ask"),
        super_node("f", super_workflow_id="front", super_workflow_version_number=3),
        name="Booking",
    )

    with pytest.raises(RunError) as raised:
        expanded(Shelf(front=front_desk).load("front", None), booking=booking, front=dict(front_desk))

    assert "Front desk > Booking > Front desk." in str(raised.value)


def test_deep_recursion_is_rejected():
    first = document(super_node("b", super_workflow_id="b"), name="First")
    b = document(super_node("c", super_workflow_id="c"), name="B")
    c = document(super_node("b", super_workflow_id="b", super_workflow_version_number=1), name="C")

    with pytest.raises(RunError, match=r"First > B > C > B\."):
        expanded(Shelf(first=first).load("first", None), b=b, c=c)


def test_same_workflow_twice_is_no_recursion():
    b = document(static("x"), name="B")
    a = document(super_node("b", super_workflow_id="b"), super_node("c", super_workflow_id="b"), name="A")

    expansion = expanded(Shelf(a=a).load("a", None), b=b)

    assert ids(expansion.workflow.node_configs) == ["b/x", "c/x"]


def test_fifty_levels_expand_in_linear_time():
    drawn = Shelf(w=nested(50, 40)).load("w", None)

    began = time.process_time()
    expansion = expanded(drawn)
    took = time.process_time() - began

    assert len(expansion.workflow.node_configs) == 51 * 40
    assert took < 5  # 0.2 alone, 1.0 beside other tests (2026-11-28)


def test_large_workflow_expands_in_linear_time():
    edges = [direct(f"n{i % 2000}", f"n{(7 * i + 1) % 2000}") for i in range(20_000)]
    drawn = Shelf(w=chain(2000, super_node("s", document(say("a"))), direct("n5", "s"), *edges)).load(
        "w", None
    )

    began = time.process_time()
    expansion = expanded(drawn)
    took = time.process_time() - began

    assert len(expansion.workflow.edge_configs) == 1999 + 1 + 20_000
    assert took < 5


def test_nesting_has_a_bound():
    allowed, too_deep = (
        Shelf(w=nested(levels, 1)).load("w", None) for levels in (MOST_LEVELS, MOST_LEVELS + 1)
    )

    expansion = expanded(allowed)
    with pytest.raises(RunError, match=f"nested more than {MOST_LEVELS} super nodes deep"):
        expanded(too_deep)

    assert len(expansion.workflow.node_configs) == MOST_LEVELS + 1


def test_expanded_nodes_have_a_bound():
    stored = {
        f"w{level}": document(*(super_node(f"s{i}", super_workflow_id=f"w{level + 1}") for i in range(9)))
        for level in range(50)
    }

    with pytest.raises(RunError, match=f"to more than {MOST_NODES} nodes"):
        expanded(Shelf(**stored).load("w0", None), **stored)


def test_expanded_edges_have_a_bound():
    inside = document(*(say(f"n{number}") for number in range(1001)))
    drawn = workflow(
        super_node("s", inside),
        static("on"),
        *(when("s", "on", "[[x]] == 1") for _ in range(MOST_EDGES // 1000)),
    )

    with pytest.raises(RunError, match=f"to more than {MOST_EDGES} edges"):
        expanded(drawn)


def test_endless_nesting_is_rejected_by_name():
    deep: Json = {}
    for _ in range(5000):
        deep = {"a": deep}

    with pytest.raises(
        RunError, match=r"Super node 'S' \(s\) stands for 'Test', in which .* nested too deep"
    ):
        expanded(workflow(super_node("s", document(static("a", own=deep)))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "{{x}}", "a.b[0]", "[[a.x]]"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "type"]), inner),
    max_leaves=4,
)
ODD_FIELD = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["name", "value_type", "required", "default_value", "enum_values", "mappings", "map_to"], JSON
    ),
)


@given(
    outer=st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(
                ["field_values", "override_llm_config", "llms_config", "reverse_edge_scope"], JSON
            ),
            "super_node_interface": JSON
            | st.fixed_dictionaries({"input_fields": st.lists(ODD_FIELD, max_size=2)})
            | st.fixed_dictionaries({"field_values": st.lists(ODD_FIELD, max_size=2)}),
        },
    ),
    inner=st.dictionaries(
        st.sampled_from(["llms_config", "tools_config", "main_response_config", "use_mcp_tools", "disabled"]),
        JSON,
    ),
    settings=st.dictionaries(
        st.sampled_from(
            ["llms_config", "tools_config", "main_response_config", "mcp_servers", "miscellaneous"]
        ),
        JSON,
    ),
)
def test_expand_returns_or_raises_an_error(outer, inner, settings):
    inside = {
        "workflow_config": settings,
        "node_configs": [{"type": "say_llm", "logical_id": "a", "is_start": True, **inner}],
        "edge_configs": [],
    }
    drawn = workflow(super_node("s", inside, **outer))

    try:
        found = ids(expanded(drawn).workflow.node_configs)
    except RunError as error:
        assert error.message.startswith(("Super node 'S' (s)", "The workflow "))
        return

    assert found == ["s/a"]


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


def test_unfold_reads_a_document_without_edges():
    inner = {"workflow_config": {}, "node_configs": [static("card", "Your card?", is_start=True)]}
    written = Workflow.from_wire({"node_configs": [super_node("pay", inner, is_start=True)]})

    graph, _ = unfold(written, expanded(written))

    assert list(graph.nodes) == ["pay", "pay/card"]


def test_unfold_leaves_global_setting_to_the_super_node():
    condition = {"condition_freeform": "wants to book"}
    written = booking(global_node_config={"is_global": True, "condition": condition})

    graph, _ = unfold(written, expanded(written))

    assert [node.logical_id for node in graph.global_nodes] == ["booking"]


@pytest.mark.parametrize("is_embedded", [True, False])
def test_rules_that_an_inner_workflow_breaks_are_told(is_embedded):
    polling = document(node("poll", "no_op", self_loop_config={"enabled": True}))
    around = super_node("s", polling) if is_embedded else node("s", "super_node", super_workflow_id="polling")

    [told] = expanded(workflow(around), polling=polling).warnings

    assert told.startswith("Inside 'S': Node 'Poll' (poll) has 'self_loop_config' enabled without a bound.")
    assert "The platform refuses to save such a workflow." in told


def test_misfit_of_an_inner_super_node_is_told_once():
    interface = {"input_fields": [{"name": "guest", "mappings": []}]}
    deep = super_node("deep", document(static("low", "Hi")), super_node_interface=interface)

    [told] = expanded(workflow(super_node("s", document(deep)))).warnings

    assert "lacks 'guest', which is required" in told
