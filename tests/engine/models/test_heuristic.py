from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.models import HeuristicModel, Prompt, TransitionOption
from debugger.engine.models.base import ToolSpec
from debugger.protocol.messages import ai_message, human_message


def choice(condition: str, **fields: Any) -> TransitionOption:
    words = condition.split()
    return TransitionOption(
        f"edge_{words[-1]}", condition, f"node_{words[-1]}", words[-1].capitalize(), **fields
    )


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


def test_choice_shares_the_most_words():
    bill, book = choice("caller asks about a bill"), choice("caller wants to book an appointment")

    reply = HeuristicModel().reply(prompt("I'd like to book an appointment", bill, book))

    assert reply.chosen is book
    assert reply.text == ""
    assert reply.reason == (
        "matched 'book', 'appointment' of the condition 'caller wants to book an appointment' (2 of 2 words)"
    )


def test_choice_of_equals_is_the_first():
    first, second = choice("wants an appointment or a refill"), choice("wants an appointment or a bill")

    reply = HeuristicModel().reply(prompt("an appointment", first, second))

    assert reply.chosen is first


def test_refusal_takes_the_negated_edge():
    wants, refuses = choice("caller wants the slot"), choice("caller does not want the slot")

    replies = [
        HeuristicModel().reply(prompt("I don't want the slot", *order))
        for order in ((wants, refuses), (refuses, wants))
    ]

    assert [reply.chosen for reply in replies] == [refuses, refuses]


def test_reason_names_the_closest_condition():
    silver = choice("caller wants a new silver plan")
    bill = choice("caller asks about a bill")

    reply = HeuristicModel().reply(prompt("Which plan is best?", bill, silver))

    assert reply.chosen is None
    assert (
        reply.text == '[built-in rules: Desk] I heard: "Which plan is best?" Possible next steps: Bill, Plan.'
    )
    assert reply.reason == (
        "no condition matched; the closest was 'plan' of the condition 'caller wants a new silver plan' "
        "(1 of 3 words)"
    )


def test_reason_without_shared_words():
    reply = HeuristicModel().reply(prompt("hello", choice("caller asks about a bill")))

    assert reply.reason == "no condition matched and none shares a word with the message"


def test_only_the_first_ways_on_are_named():
    choices = [
        choice(f"caller asks about {thing}") for thing in ("tea", "coffee", "cake", "milk", "jam", "pie")
    ]

    reply = HeuristicModel().reply(prompt("hello", *choices))

    assert reply.text.endswith("Possible next steps: Tea, Coffee, Cake, Milk and 2 more.")


@pytest.mark.parametrize("message", ["", "  \n"])
def test_silence_chooses_nothing(message):
    reply = HeuristicModel().reply(prompt(message, choice("caller wants to book")))

    assert reply.text == "[built-in rules: Desk] This node would open the conversation here."
    assert reply.chosen is None
    assert reply.reason == "nothing new was said to judge"


def test_memo_alone_opens_no_conversation():
    memo = {"type": "ai", "id": "nav_msg_1", "content": "[Internal-only memo]: System navigated"}

    reply = HeuristicModel().reply(prompt("", history=lambda: [memo]))

    assert reply.text.endswith("would open the conversation here.")


def test_node_that_speaks_later_does_not_open_the_conversation():
    said = [{"type": "human", "content": "Where is my book?"}, {"type": "ai", "content": "One moment."}]

    reply = HeuristicModel().reply(prompt("", history=lambda: said))

    assert reply.text == "[built-in rules: Desk] This node would speak here."


def test_structured_output_is_filled_and_told():
    schema = {"type": "object", "properties": {"cups": {"type": "integer"}, "city": {"type": "string"}}}

    reply = HeuristicModel().reply(prompt("two cups", schema=schema))

    assert reply.fields == {"cups": 2}
    assert reply.text == '[built-in rules: Desk] I heard: "two cups". Noted: cups = 2.'
    assert reply.reason == "no transition was offered"


def test_the_arguments_of_a_chosen_hop_are_filled():
    schema = {"type": "object", "properties": {"day": {"type": "string"}}}
    book = choice("caller wants to book", args_schema=schema)

    reply = HeuristicModel().reply(prompt("book me on Tuesday", book))

    assert reply.args == {"day": "Tuesday"}


@pytest.mark.parametrize(("message", "met"), [("book it", True), ("I don't book", False), ("hello", False)])
def test_a_verdict_chooses_the_condition_or_does_not(message, met):
    reply = HeuristicModel().reply(prompt(message, choice("caller wants to book"), kind="judge"))

    assert (reply.chosen is not None) is met
    assert reply.text == ""
    assert reply.reason


def test_a_silent_node_says_nothing():
    assert HeuristicModel().reply(prompt("hello", kind="work")).text == ""


def test_fields_are_read_from_the_chat():
    schema = {"type": "object", "properties": {"cups": {"type": "integer"}}}
    chat = [human_message("3 cups"), human_message("2 cups"), ai_message("Fine, 7.", message_id="1")]

    reply = HeuristicModel().reply(prompt("", kind="work", schema=schema, history=lambda: chat))

    assert reply.fields == {"cups": 2}


def test_chat_is_unread_with_a_message():
    def unreadable() -> list[Any]:
        raise AssertionError("the chat was read")

    schema = {"type": "object", "properties": {"cups": {"type": "integer"}}}

    reply = HeuristicModel().reply(prompt("2 cups", schema=schema, history=unreadable))

    assert reply.fields == {"cups": 2}


def test_the_same_prompt_gets_the_same_reply():
    asked = prompt("two cups of tea", choice("guest wants tea"), choice("guest wants two cups"))

    assert HeuristicModel().reply(asked) == HeuristicModel().reply(asked)


def test_line_names_tools_without_calls():
    tools = tuple(ToolSpec(name, "Looks something up.") for name in ("slots", "price", "d", "e", "f"))

    reply = HeuristicModel().reply(prompt("slots please", tools=tools))

    assert reply.calls == ()
    assert reply.text == (
        '[built-in rules: Desk] I heard: "slots please". A model could call: slots, price, d, e and 1 more.'
    )


def test_what_tools_gave_is_repeated_in_the_line():
    exchange = (
        {"type": "ai", "content": "Let me see."},
        {"type": "tool", "name": "slots", "content": '["9:00"]'},
        {"type": "tool", "name": "price", "content": "x" * 1000},
    )

    reply = HeuristicModel().reply(prompt("slots please", exchange=exchange))

    assert reply.text.startswith(
        '[built-in rules: Desk] I heard: "slots please". slots gave: ["9:00"]; price gave: xxx'
    )
    assert len(reply.text) < 300


def test_evaluated_run_gets_no_verdict():
    run = '{"workflow_run_id": "r", "input_output_pairs": [], "number of cups": 2}'
    schema = {"properties": {"cups": {"type": "integer"}}}

    reply = HeuristicModel().reply(prompt(run, kind="work", schema=schema))

    assert (reply.fields, reply.text, reply.reason) == ({}, "", "rules cannot evaluate a run")
