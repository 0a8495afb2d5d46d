from __future__ import annotations

from debugger.analysis.chat import Bubble, bubbles, folded
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog, background_input


def said(text, node_id="order", name="Order desk", **fields):
    return parse_event(
        {
            "type": "assistant_response",
            "origin_thread_id": "0",
            "origin_node_logical_id": node_id,
            "origin_node_name": name,
            "content": text,
            **fields,
        }
    )


def heard(text):
    return parse_event({"type": "user_messages", "messages": [{"type": "human", "content": text}]})


def test_the_chat_shows_both_sides_in_order():
    first = TurnLog(1, TurnInput.saying("Hello"), [heard("Hello"), said("Which tea?")])
    second = TurnLog(2, TurnInput.saying("Assam"), [heard("Assam"), said("Enjoy it!", "bye", "Farewell")])

    found = bubbles([first, second])

    assert [(bubble.role, bubble.text, bubble.turn_number) for bubble in found] == [
        ("user", "Hello", 1),
        ("agent", "Which tea?", 1),
        ("user", "Assam", 2),
        ("agent", "Enjoy it!", 2),
    ]
    assert found[3] == Bubble("agent", "Enjoy it!", "Farewell", 2, 3)


def test_what_is_said_in_background_work_comes_after_its_turn_and_is_marked():
    asked = TurnLog(1, TurnInput.saying("Hello"))
    goodbye = TurnLog(1, background_input(), [said("Bye")], is_background=True)
    asked_more = TurnLog(2, TurnInput.saying("Wait!"))

    found = bubbles([asked, goodbye, asked_more])

    assert [(bubble.text, bubble.turn_number, bubble.is_background) for bubble in found] == [
        ("Hello", 1, False),
        ("Bye", 1, True),
        ("Wait!", 2, False),
    ]


def test_the_welcome_is_the_agents_first_bubble_before_the_users_message():
    turn = TurnLog(1, TurnInput.saying("Hi", welcome_message="Welcome to Leaf & Co"))

    assert [(bubble.role, bubble.text) for bubble in bubbles([turn])] == [
        ("agent", "Welcome to Leaf & Co"),
        ("user", "Hi"),
    ]


def test_warnings_and_errors_are_notes_where_they_happened():
    turn = TurnLog(
        1,
        TurnInput(),
        [
            parse_event({"type": "workflow_warning", "warning_message": "no tool of that name"}),
            said("Hm."),
            parse_event({"type": "workflow_error", "error_message": "boom"}),
        ],
    )

    assert [(bubble.role, bubble.text) for bubble in bubbles([turn])] == [
        ("warning", "no tool of that name"),
        ("agent", "Hm."),
        ("error", "boom"),
    ]


def test_the_memo_of_a_hop_is_no_bubble():
    memo = parse_event(
        {"type": "workflow_navigation_message", "message": {"type": "ai", "content": "[memo]"}}
    )

    assert bubbles([TurnLog(1, TurnInput(), [memo])]) == []


def test_a_few_warnings_stay_apart_and_many_in_a_row_become_one_group():
    warnings = [Bubble("warning", f"w{place}", "", 1, place) for place in range(3)]
    words = Bubble("agent", "Hello", "A", 1, 3)

    few = folded([*warnings[:2], words])
    many = folded([words, *warnings, words])

    assert few == [[warnings[0]], [warnings[1]], [words]]
    assert many == [[words], warnings, [words]]
