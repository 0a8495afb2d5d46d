from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.models import HeuristicModel, Prompt, Script, ScriptedModel, TransitionOption
from debugger.engine.models.base import Reply, ToolCall, ToolSpec
from debugger.errors import RunError

STOCK = ToolSpec(
    "tea_stock", "Looks tea up.", {"type": "object", "properties": {"tea": {}, "cups": {"type": "integer"}}}
)
ORDER = ToolSpec("order", "Orders.", None)
BOOKING = TransitionOption("edge_book", "books", "node_booking", "Booking")


def scripted(rules: str, *, anywhere: str = "[]") -> ScriptedModel:
    text = f"version: 1\nworkflow: w\nanywhere: {anywhere}\nnodes:\n  node_desk:\n{rules}"
    return ScriptedModel(Script.load(text), HeuristicModel())


def tool_prompt(message: str, *tools: ToolSpec, **fields: Any) -> Prompt:
    given = {
        "kind": "say",
        "node_logical_id": "node_desk",
        "node_name": "Desk",
        "system": "",
        "history": list,
        "variables": {},
        "visit": 1,
        **fields,
    }
    return Prompt(message=message, tools=tools, **given)


def round_of(*calls: tuple[str, dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """What an exchange holds after some calls that all gave 1."""
    asked = {
        "type": "ai",
        "content": "",
        "tool_calls": [{"name": name, "args": args} for name, args in calls],
    }
    return (asked, *({"type": "tool", "name": name, "content": "1"} for name, _ in calls))


def test_rule_calls_tool_with_groups():
    responder = scripted(
        "    - {when: '(?P<cups>\\d+) cups of (\\w+)', call: {tea_stock: {tea: $2, cups: '${cups}'}}}\n"
    )

    reply = responder.reply(tool_prompt("2 cups of Assam", STOCK))

    assert reply == Reply(
        calls=(ToolCall("tea_stock", {"tea": "Assam", "cups": 2}),),
        reason="rule 1 of 'node_desk' (line 6) of the script, which found '2 cups of Assam'",
        model="script",
    )


@pytest.mark.parametrize(
    ("call", "made"),
    [
        ("tea_stock", [("tea_stock", {})]),
        ("Tea Stock", [("tea_stock", {})]),
        ("[tea_stock, order]", [("tea_stock", {}), ("order", {})]),
        ("{tea_stock: , order: {any: [1]}}", [("tea_stock", {}), ("order", {"any": [1]})]),
        ("[{order: {a: 1}}, {order: {a: 2}}]", [("order", {"a": 1}), ("order", {"a": 2})]),
    ],
)
def test_calls_have_three_notations(call, made):
    reply = scripted(f"    - call: {call}\n").reply(tool_prompt("x", STOCK, ORDER))

    assert [(one.name, one.args) for one in reply.calls] == made


def test_text_comes_with_calls():
    reply = scripted('    - {call: order, say: "I order for [[name]]."}\n').reply(
        tool_prompt("x", ORDER, variables={"name": "Ada"})
    )

    assert (reply.text, len(reply.calls)) == ("I order for Ada.", 1)


def test_rule_calls_once():
    responder = scripted('    - {when: tea, call: order}\n    - say: "Ordered [[order_result]]."\n')

    reply = responder.reply(
        tool_prompt("tea", ORDER, exchange=round_of(("order", {})), variables={"order_result": 7})
    )

    assert (reply.text, reply.calls) == ("Ordered 7.", ())


def test_calls_differ_by_arguments():
    responder = scripted(
        "    - call: {order: {a: 1}}\n    - {after: order, call: {order: {a: 2}}}\n    - say: Done.\n"
    )
    exchange = round_of(("order", {"a": 1}))

    second = responder.reply(tool_prompt("x", ORDER, exchange=exchange))
    third = responder.reply(tool_prompt("x", ORDER, exchange=exchange + round_of(("order", {"a": 2}))))

    assert second.calls == (ToolCall("order", {"a": 2}),)
    assert third.text == "Done."


def test_after_matches_the_latest_result():
    responder = scripted(
        "    - {after: tea stock, say: Stock is told.}\n"
        "    - {after: order, say: Ordered.}\n"
        "    - say: Yes?\n"
    )
    stock, order = round_of(("tea_stock", {})), round_of(("order", {}))

    said = [
        responder.reply(tool_prompt("x", exchange=exchange)).text
        for exchange in ((), stock, order, stock + order, order + stock)
    ]

    assert said == ["Yes?", "Stock is told.", "Ordered.", "Ordered.", "Stock is told."]


def test_after_matches_any_parallel_result():
    responder = scripted("    - {after: order, say: Ordered.}\n")

    reply = responder.reply(tool_prompt("x", exchange=round_of(("order", {}), ("tea_stock", {}))))

    assert reply.text == "Ordered."


def test_after_a_tool_a_rule_may_hop():
    reply = scripted("    - {after: order, take: Booking}\n").reply(
        tool_prompt("x", choices=(BOOKING,), exchange=round_of(("order", {})))
    )

    assert reply.chosen is BOOKING


def test_call_of_missing_tool_fails():
    with pytest.raises(RunError) as caught:
        scripted("    - call: refill\n").reply(tool_prompt("x", STOCK, ORDER))

    assert str(caught.value) == (
        "rule 1 of 'node_desk' (line 6) of the script calls the tool 'refill', which node 'Desk' does not "
        "offer; it offers 'tea_stock', 'order'. Correct 'call' in the script."
    )


def test_unknown_tool_argument_fails():
    with pytest.raises(RunError) as caught:
        scripted("    - call: {tea_stock: {sugar: 1}}\n").reply(tool_prompt("x", STOCK))

    assert str(caught.value) == (
        "rule 1 of 'node_desk' (line 6) of the script gives the tool 'tea_stock' the argument 'sugar', "
        "which it does not ask for; it asks for: tea, cups. Correct 'call' in the script, or the tool's "
        "args_schema."
    )


def test_call_rule_needs_offered_tools():
    responder = scripted("    - {call: order, say: I order.}\n    - say: Pardon?\n")

    assert responder.reply(tool_prompt("x")).text == "Pardon?"


def test_anywhere_rule_needs_its_tool():
    responder = scripted("    - say: Yes?\n", anywhere="[{when: tea, call: tea_stock}]")

    assert responder.reply(tool_prompt("tea", STOCK)).calls == (ToolCall("tea_stock", {}),)
    assert responder.reply(tool_prompt("tea", ORDER)).text == "Yes?"


def test_call_rule_is_no_verdict():
    responder = scripted("    - call: order\n    - take: Booking\n")

    assert responder.reply(tool_prompt("x", kind="judge", choices=(BOOKING,))).chosen is BOOKING
