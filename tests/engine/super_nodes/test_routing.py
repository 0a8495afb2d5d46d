"""Scopes, reverse edges and origins of expanded workflows."""

from __future__ import annotations

from tests.support.factories import direct, document, everywhere, say, static, when, workflow
from tests.support.super_nodes import Run, super_node


def test_inner_events_name_their_super_nodes():
    card = document(static("card", "Card?"))
    pay = document(static("price", "10"), super_node("how", card), direct("price", "how"))
    run = Run(workflow(static("hello", "Hi"), super_node("pay", pay), direct("hello", "pay")))

    run.turn()

    origins = {
        (each["type"], each["origin_node_logical_id"]): each.get("super_node_origin")
        for each in run.events
        if each.get("origin_node_run_id")
    }
    per_node = ["start_node_run", "say_static", "assistant_response", "end_node_run"]
    assert origins == {
        **{(each, "hello"): None for each in per_node},
        **{(each, "pay/price"): ["pay"] for each in per_node},
        **{(each, "pay/how/card"): ["pay", "pay/how"] for each in per_node},
    }


def test_exit_event_names_super_node():
    inside = document(say("talk"), static("own", "Own"), when("talk", "own", freeform="own"))
    run = Run(
        workflow(
            super_node("s", inside),
            static("out", "Out"),
            say("last", wait_for_user_message=False, self_loop=False),
            when("s", "out", freeform="leave", name="exit"),
        )
    )

    run.turn("leave")

    [hop] = run.of("conditional_edge")
    [memo] = run.of("workflow_navigation_message")
    assert (hop["super_node_exit_origin"], hop["edge_logical_id"], hop["edge_name"]) == (
        "s",
        "edge_s_out",
        "exit",
    )
    assert (hop["source_node_logical_id"], hop["destination_node_logical_id"]) == ("s/talk", "out")
    assert memo["message"]["response_metadata"]["edge_logical_id"] == "edge_s_out"


def test_inner_edge_event_names_no_exit():
    inside = document(say("talk"), static("own", "Own"), when("talk", "own", freeform="own"))
    run = Run(workflow(super_node("s", inside)))

    run.turn("own")

    [hop] = run.of("conditional_edge")
    assert (hop["super_node_exit_origin"], hop["edge_logical_id"]) == (None, "s/edge_talk_own")


def test_nested_exit_names_the_inner_one():
    deep = document(say("talk"))
    inside = document(super_node("d", deep), static("out", "Out"), when("d", "out", freeform="leave"))
    run = Run(workflow(super_node("s", inside)))

    run.turn("leave")

    [hop] = run.of("conditional_edge")
    assert (hop["super_node_exit_origin"], hop["edge_logical_id"]) == ("s/d", "s/edge_d_out")


def test_inner_global_node_is_local():
    inside = document(
        say("talk", self_loop=True),
        say("help", global_node_config=everywhere("help")),
        when("talk", "help", freeform="never"),
    )
    given = workflow(
        say("outer", self_loop=True), super_node("s", inside), when("outer", "s", freeform="inside")
    )
    outside, within = Run(given), Run(given)

    outside.turn("help")
    within.turn("inside")
    within.turn("help")

    assert outside.path == ["outer"]
    assert within.path == ["s/talk", "s/help"]


def test_outer_global_node_returns_inside():
    inside = document(say("talk", self_loop=True))
    run = Run(
        workflow(super_node("s", inside), say("help", global_node_config=everywhere("help", back="done")))
    )

    run.turn("help")
    run.turn("done")

    [back] = run.of("reverse_conditional_edge")
    assert (back["source_node_logical_id"], back["destination_node_logical_id"]) == ("help", "s/talk")
    assert (back["super_node_exit_origin"], back["global_node_logical_id"]) == (None, "help")


def faq(**fields):
    """A global super node of two nodes, with a way back."""
    inside = document(
        say("topic", self_loop=True), say("detail", self_loop=True), when("topic", "detail", freeform="more")
    )
    return super_node("faq", inside, global_node_config=everywhere("question", back="done"), **fields)


def test_global_super_node_is_entered_once():
    run = Run(workflow(say("talk", self_loop=True), faq()))

    run.turn("question")
    entered = run.path
    run.turn("question")

    assert entered == ["talk", "faq/topic"]
    assert run.path == ["faq/topic"]
    assert run.said == ["You said: question"]


def test_inner_models_can_return():
    run = Run(workflow(say("talk", self_loop=True), faq()))

    run.turn("question")
    run.turn("more")
    run.turn("done")

    [back] = run.of("reverse_conditional_edge")
    assert (back["source_node_logical_id"], back["destination_node_logical_id"]) == ("faq/detail", "talk")
    assert (back["super_node_exit_origin"], back["global_node_logical_id"]) == ("faq", "faq")


def test_narrow_scope_returns_from_the_end():
    run = Run(workflow(say("talk", self_loop=True), faq(reverse_edge_scope="terminal_nodes")))

    run.turn("question")
    run.turn("done")
    not_yet = run.of("reverse_conditional_edge")
    run.turn("more")
    run.turn("done")

    assert not_yet == []
    assert [each["source_node_logical_id"] for each in run.of("reverse_conditional_edge")] == ["faq/detail"]


def test_other_exit_does_not_return():
    run = Run(
        workflow(
            say("talk", self_loop=True),
            faq(),
            say("on", self_loop=True),
            when("faq", "on", freeform="on"),
            when("on", "faq", freeform="again"),
        )
    )

    run.turn("question")
    run.turn("on")
    run.turn("again")
    run.turn("done")

    assert run.of("reverse_conditional_edge") == []
    assert run.path == ["faq/topic"]


def test_a_guardrail_super_node_counts_as_one_entry():
    inside = document(static("warn", "Careful."), say("talk"), direct("warn", "talk"))
    run = Run(
        workflow(
            say("outer", self_loop=True),
            super_node("guard", inside, is_guardrail_node=True),
            static("calm", "Escalated."),
            when("outer", "guard", freeform="bad"),
            when("guard", "outer", freeform="sorry"),
            guardrail_strikes_config={
                "max_guardrail_nodes_before_escalation": 2,
                "escalation_node_logical_id": "calm",
            },
        )
    )

    run.turn("bad")
    first = run.of("guardrail_escalation_edge")
    run.turn("sorry")
    run.turn("bad")

    assert first == []
    assert [each["num_guardrail_nodes_entered"] for each in run.of("guardrail_escalation_edge")] == [2]
    assert run.said[-1] == "Escalated."
