from __future__ import annotations

import re
from typing import Any

import pytest

from debugger.engine.models import HeuristicModel, Prompt, Reply, Script, ScriptedModel, TransitionOption
from debugger.engine.models.base import ToolCall, ToolSpec
from debugger.engine.models.scripted import put_in_groups
from debugger.errors import RunError

BOOK = TransitionOption("edge_book", "caller wants to book", "node_booking", "Booking desk", edge_name="book")
BILL = TransitionOption(
    "edge_bill", "caller asks about a bill", "node_billing", "Billing desk", edge_name="bill"
)
BACK = TransitionOption("reverse:node_desk", "caller goes on", "node_desk", "Desk")


def scripted(rules: str, *, anywhere: str = "[]") -> ScriptedModel:
    text = f"version: 1\nworkflow: w\nanywhere: {anywhere}\nnodes:\n  node_desk:\n{rules}"
    return ScriptedModel(Script.load(text), HeuristicModel())


def prompt(message: str, *choices: TransitionOption, **fields: Any) -> Prompt:
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
    return Prompt(message=message, choices=choices, **given)


def test_first_matching_rule_answers():
    model = scripted("    - {when: BOOK.*, say: one}\n    - {when: book, say: two}\n")

    reply = model.reply(prompt("please book it"))

    assert reply == Reply(
        text="one",
        reason="rule 1 of 'node_desk' (line 6) of the script, which found 'book it'",
        model="script",
    )


def test_a_rule_without_a_pattern_fits_silence():
    assert scripted("    - say: Hello!\n").reply(prompt("")).text == "Hello!"


def test_rule_visit_matches_one_run():
    model = scripted("    - {visit: 2, say: again}\n    - say: first\n")

    assert [model.reply(prompt("x", visit=visit)).text for visit in (1, 2, 3)] == [
        "first",
        "again",
        "first",
    ]


def test_rule_condition_reads_runtime_variables():
    model = scripted("    - {if: 'isAbsent([[tea]])', say: Which tea}\n    - say: And cake?\n")

    assert model.reply(prompt("x")).text == "Which tea"
    assert model.reply(prompt("x", variables={"tea": "Assam"})).text == "And cake?"


def test_a_text_is_filled_with_runtime_variables():
    model = scripted('    - say: "[[slot.day]] for [[name]], [[gone]]."\n')

    reply = model.reply(prompt("x", variables={"slot": {"day": "Monday"}, "name": "Ada"}))

    assert reply.text == "Monday for Ada, [[gone]]."


def test_text_sees_fields_of_its_answer():
    model = scripted('    - {when: (\\d+) cups, fill: {cups: $1}, say: "[[cups]] cups, noted."}\n')

    reply = model.reply(
        prompt("3 cups", variables={"cups": 1}, schema={"properties": {"cups": {"type": "integer"}}})
    )

    assert reply.text == "3 cups, noted."


def test_where_no_rule_fits_the_fallback_answers():
    model = scripted("    - {when: tea, say: x}\n")

    reply = model.reply(prompt("book it", BOOK))

    assert reply.chosen is BOOK
    assert reply.model == "built-in rules"


def test_node_without_rules_uses_the_fallback():
    model = scripted("    - say: x\n")

    assert model.reply(prompt("hi", node_logical_id="node_other", node_name="Other")).text.startswith(
        "[built-in rules"
    )


@pytest.mark.parametrize(
    "take",
    ["bill", "BILL", "edge_bill", "node_billing", "Billing  desk", "caller asks about a bill"],
)
def test_take_accepts_any_name(take):
    reply = scripted(f"    - {{take: {take}, say: not now}}\n").reply(prompt("x", BOOK, BILL))

    assert reply.chosen is BILL
    assert reply.text == ""
    assert reply.reason == "rule 1 of 'node_desk' (line 6) of the script"


def test_take_prefers_edges_over_destinations():
    other = TransitionOption("edge_other", "", "node_bill", "bill", edge_name="other")

    assert scripted("    - take: bill\n").reply(prompt("x", other, BILL)).chosen is BILL


def test_a_hop_back_is_taken_by_its_condition():
    assert scripted("    - take: caller goes on\n").reply(prompt("x", BILL, BACK)).chosen is BACK


def test_take_of_missing_edge_fails():
    with pytest.raises(RunError) as caught:
        scripted("    - take: refill\n").reply(prompt("x", BOOK, BACK))

    assert str(caught.value) == (
        "rule 1 of 'node_desk' (line 6) of the script takes 'refill', which node 'Desk' does not offer; it "
        "offers 'book' to 'Booking desk', 'reverse:node_desk' to 'Desk'. Correct 'take' in the script."
    )


def test_text_is_said_without_edges():
    model = scripted("    - {take: book, say: Book it now}\n")

    assert model.reply(prompt("book")).text == "Book it now"


def test_take_only_rule_needs_edges():
    model = scripted("    - {when: book, take: book}\n    - say: Pardon?\n")

    assert model.reply(prompt("book")).text == "Pardon?"


def test_anywhere_rule_is_tried_first():
    model = scripted("    - say: Yes?\n", anywhere="[{when: bill, take: node_billing}]")

    assert model.reply(prompt("my bill", BOOK, BILL)).chosen is BILL
    assert model.reply(prompt("my bill", BOOK)).text == "Yes?"
    assert model.reply(prompt("hi", BOOK, BILL)).text == "Yes?"


def test_structured_output_takes_literals_and_groups():
    properties = {
        "cups": {"type": "integer"},
        "spoons": {"type": ["integer", "null"]},
        "tea": {"type": "string"},
        "milk": {"type": "boolean"},
        "note": {"type": "string"},
        "price": {"type": "string"},
        "tags": {"type": "array"},
        "guest": {"type": "object", "properties": {"age": {"type": "number"}}},
        "nothing": {},
    }
    model = scripted(
        "    - when: '(\\w+) cups of (?P<tea>\\w+)(?: with (\\w+) spoons)?'\n"
        "      say: Noted.\n"
        "      fill:\n"
        "        cups: $1\n"
        "        spoons: $3\n"
        "        tea: ${tea}\n"
        "        milk: false\n"
        "        note: $1 x ${tea}, $3\n"
        "        price: $$5\n"
        "        tags: [$2, 7]\n"
        "        guest: {age: $1}\n"
        "        nothing: null\n"
    )

    reply = model.reply(prompt("Two cups of Assam", schema={"properties": properties}))

    assert reply.text == "Noted."
    assert reply.fields == {
        "cups": 2,
        "tea": "Assam",
        "milk": False,
        "note": "Two x Assam, ",
        "price": "$5",
        "tags": ["Assam", 7],
        "guest": {"age": 2},
        "nothing": None,
    }


def test_groups_in_a_list_become_numbers():
    items = {"type": "object", "properties": {"cups": {"type": "integer"}}}
    properties = {
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "orders": {"type": "array", "items": items},
    }
    model = scripted(
        "    - {when: '(\\d+) and (\\d+)( more)?', fill: {sizes: [$1, $2, $3, null], orders: [{cups: $2}]}}\n"
    )

    reply = model.reply(prompt("2 and 3", schema={"properties": properties}))

    assert reply.fields == {"sizes": [2, 3, None], "orders": [{"cups": 3}]}


def test_group_without_number_stays_text():
    model = scripted("    - {when: '(\\w+) cups', fill: {cups: $1}}\n")

    reply = model.reply(prompt("many cups", schema={"properties": {"cups": {"type": "integer"}}}))

    assert reply.fields == {"cups": "many"}


@pytest.mark.parametrize("schema", [None, {"properties": {"tea": {}}}])
def test_fill_of_unknown_field_fails(schema):
    with pytest.raises(
        RunError, match=r"fills the field 'cups', which is not asked for; asked for: (tea|nothing)"
    ):
        scripted("    - {say: x, fill: {cups: 1}}\n").reply(prompt("x", schema=schema))


def test_an_open_schema_takes_any_field():
    assert scripted("    - {say: x, fill: {cups: 1}}\n").reply(prompt("x", schema={})).fields == {"cups": 1}


def test_what_a_rule_leaves_open_the_fallback_gives():
    schema = {"properties": {"cups": {"type": "integer"}}}

    spoken = scripted("    - say: Fine.\n").reply(prompt("2 cups", schema=schema))
    filled = scripted("    - fill: {cups: 5}\n").reply(prompt("2 cups", schema=schema))

    assert (spoken.text, spoken.fields) == ("Fine.", {"cups": 2})
    assert filled.text.startswith('[built-in rules: Desk] I heard: "2 cups"')
    assert filled.fields == {"cups": 5}
    assert filled.model == "script"


def test_fallback_is_unused_when_complete():
    class Unwanted:
        def reply(self, prompt: Prompt) -> Reply:
            raise AssertionError("the fallback was asked")

    script = Script.load(
        "version: 1\nworkflow: w\nnodes:\n  Desk:\n    - {say: x, fill: {}}\n    - take: book\n"
    )

    reply = ScriptedModel(script, Unwanted()).reply(prompt("hi", schema={"properties": {"a": {}}}))

    assert (reply.text, reply.fields) == ("x", {})


def test_a_silent_node_is_filled_and_says_nothing():
    model = scripted("    - fill: {cups: 5}\n")

    reply = model.reply(prompt("x", kind="work", schema={"properties": {"cups": {}}}))

    assert (reply.text, reply.fields) == ("", {"cups": 5})


def test_arguments_come_from_rule_or_message():
    schema = {"type": "object", "properties": {"day": {"type": "string"}}}
    book = TransitionOption("edge_book", "books", "node_booking", "Booking", args_schema=schema)

    given = scripted("    - {when: '(\\w+day)', take: edge_book, args: {day: next $1}}\n")
    read = scripted("    - take: edge_book\n")

    assert given.reply(prompt("on Tuesday", book)).args == {"day": "next Tuesday"}
    assert read.reply(prompt("on Tuesday", book)).args == {"day": "Tuesday"}


def test_unknown_edge_argument_fails():
    with pytest.raises(
        RunError, match="fills the argument 'day', which is not asked for; asked for: nothing"
    ):
        scripted("    - {take: book, args: {day: x}}\n").reply(prompt("x", BOOK))


def test_verdict_follows_the_rules_take():
    model = scripted("    - {when: bill, take: bill}\n    - {when: tea, say: x}\n")

    met = model.reply(prompt("my bill", BILL, kind="judge"))
    other = model.reply(prompt("my bill", BOOK, kind="judge"))
    speaks = model.reply(prompt("tea", BOOK, kind="judge"))
    open_to_rules = model.reply(prompt("book it", BOOK, kind="judge"))

    assert met.chosen is BILL
    assert (other.chosen, speaks.chosen) == (None, None)
    assert other.text == speaks.text == ""
    assert open_to_rules.chosen is BOOK


MATCH = re.search(r"(?P<cups>\d+) cups(?: of (?P<tea>\w+))?", "2 cups")


def test_group_becomes_a_number_by_schema():
    schema = {"properties": {"cups": {"type": ["integer", "null"]}}}

    assert put_in_groups({"cups": "${cups}", "said": "$1 cups"}, MATCH, schema) == {
        "cups": 2,
        "said": "2 cups",
    }


def test_group_without_match_is_absent():
    assert put_in_groups({"tea": "${tea}", "note": None}, MATCH, None) == {"note": None}


@pytest.mark.parametrize("schema", [{"properties": {"cups": True}}, {"properties": ["cups"]}, True, None])
def test_group_stays_text_without_schema(schema):
    assert put_in_groups({"cups": "$1"}, MATCH, schema) == {"cups": "2"}


STOCK = ToolSpec(
    "tea_stock", "Looks tea up.", {"type": "object", "properties": {"tea": {}, "cups": {"type": "integer"}}}
)
ORDER = ToolSpec("order", "Orders.", None)
BOOKING = TransitionOption("edge_book", "books", "node_booking", "Booking")


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
    """Return an exchange after calls that each returned 1."""
    asked = {
        "type": "ai",
        "content": "",
        "tool_calls": [{"name": name, "args": args} for name, args in calls],
    }
    return (asked, *({"type": "tool", "name": name, "content": "1"} for name, _ in calls))


def test_rule_calls_tool_with_groups():
    model = scripted(
        "    - {when: '(?P<cups>\\d+) cups of (\\w+)', call: {tea_stock: {tea: $2, cups: '${cups}'}}}\n"
    )

    reply = model.reply(tool_prompt("2 cups of Assam", STOCK))

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
    model = scripted('    - {when: tea, call: order}\n    - say: "Ordered [[order_result]]."\n')

    reply = model.reply(
        tool_prompt("tea", ORDER, exchange=round_of(("order", {})), variables={"order_result": 7})
    )

    assert (reply.text, reply.calls) == ("Ordered 7.", ())


def test_calls_differ_by_arguments():
    model = scripted(
        "    - call: {order: {a: 1}}\n    - {after: order, call: {order: {a: 2}}}\n    - say: Done.\n"
    )
    exchange = round_of(("order", {"a": 1}))

    second = model.reply(tool_prompt("x", ORDER, exchange=exchange))
    third = model.reply(tool_prompt("x", ORDER, exchange=exchange + round_of(("order", {"a": 2}))))

    assert second.calls == (ToolCall("order", {"a": 2}),)
    assert third.text == "Done."


def test_after_matches_the_latest_result():
    model = scripted(
        "    - {after: tea stock, say: Stock is told.}\n"
        "    - {after: order, say: Ordered.}\n"
        "    - say: Yes?\n"
    )
    stock, order = round_of(("tea_stock", {})), round_of(("order", {}))

    said = [
        model.reply(tool_prompt("x", exchange=exchange)).text
        for exchange in ((), stock, order, stock + order, order + stock)
    ]

    assert said == ["Yes?", "Stock is told.", "Ordered.", "Ordered.", "Stock is told."]


def test_after_matches_any_parallel_result():
    model = scripted("    - {after: order, say: Ordered.}\n")

    reply = model.reply(tool_prompt("x", exchange=round_of(("order", {}), ("tea_stock", {}))))

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
    model = scripted("    - {call: order, say: I order.}\n    - say: Pardon?\n")

    assert model.reply(tool_prompt("x")).text == "Pardon?"


def test_anywhere_rule_needs_its_tool():
    model = scripted("    - say: Yes?\n", anywhere="[{when: tea, call: tea_stock}]")

    assert model.reply(tool_prompt("tea", STOCK)).calls == (ToolCall("tea_stock", {}),)
    assert model.reply(tool_prompt("tea", ORDER)).text == "Yes?"


def test_call_rule_is_no_verdict():
    model = scripted("    - call: order\n    - take: Booking\n")

    assert model.reply(tool_prompt("x", kind="judge", choices=(BOOKING,))).chosen is BOOKING
