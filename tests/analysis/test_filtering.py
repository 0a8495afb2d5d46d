from __future__ import annotations

import pytest

from debugger.analysis.filtered_timeline import Filter, important, matching
from debugger.analysis.timeline import SearchTexts, TimelineRow


def row(index=0, event_type="direct_edge", **fields):
    values = {
        "turn_number": 1,
        "position": index,
        "importance": "high",
        "node_logical_id": "ask",
        "node_name": "Ask which tea",
        "thread": "0",
        "at_ms": None,
        "since_turn_ms": None,
        "duration_ms": None,
        "time": None,
        "summary": "Ask → Order",
        "is_failure": False,
        **fields,
    }
    return TimelineRow(index=index, type=event_type, **values)


def test_events_leave_the_bookkeeping_out():
    rows = [
        row(0),
        row(1, "start_node_run", importance="low"),
        row(2, "workflow_show_state", importance="low"),
    ]

    assert important(rows, matching(rows, Filter()), Filter()) == [0]


def test_nothing_asked_for_is_everything():
    rows = [row(0), row(1, "start_node_run", importance="low")]

    assert matching(rows, Filter()) == [0, 1]


@pytest.mark.parametrize(
    "wanted", [Filter(text="nothing of it"), Filter(types=frozenset({"x"})), Filter(node="b")]
)
def test_a_failure_is_never_hidden(wanted):
    rows = [row(0), row(1, "end_node_run", is_failure=True)]

    assert matching(rows, wanted) == [1]


def test_a_failure_stays_in_its_place():
    rows = [row(0, "a"), row(1, "b", is_failure=True), row(2, "a"), row(3, "b")]

    assert matching(rows, Filter(types=frozenset({"a"}))) == [0, 1, 2]


def test_a_type_that_is_asked_for_is_shown_although_it_is_bookkeeping():
    rows = [row(0), row(1, "start_node_run", importance="low")]
    wanted = Filter(types=frozenset({"start_node_run"}))

    assert important(rows, matching(rows, wanted), wanted) == [1]


@pytest.mark.parametrize("text", ["ORDER", "tea ask", "direct_edge", "which → order"])
def test_all_words_must_be_there_in_any_case_and_any_place(text):
    rows = [row(0), row(1, "say_llm", node_name="Bye", node_logical_id="bye", summary="Bye: see you")]

    assert matching(rows, Filter(text=text)) == [0]


def test_a_search_knows_rows_that_were_replaced_or_taken_back():
    texts = SearchTexts()
    rows = [row(0), row(1, summary="green tea"), row(2, summary="black tea")]
    matching(rows, Filter(text="tea"), texts)

    again = [*rows[:1], row(1, summary="a cake")]

    assert matching(again, Filter(text="cake"), texts) == [1]
    assert matching(rows, Filter(text="black"), texts) == [2]


def test_a_chosen_node_keeps_its_own_events():
    rows = [row(0), row(1, node_logical_id="bye"), row(2, node_logical_id=None)]

    assert matching(rows, Filter(node="bye")) == [1]


def test_a_super_node_keeps_the_events_inside_of_it():
    rows = [row(0, node_logical_id="box/ask", drawn_node="box"), row(1)]

    assert matching(rows, Filter(node="box")) == [0]
    assert matching(rows, Filter(node="box/ask")) == [0]


def test_a_turn_can_be_looked_at_alone():
    rows = [row(0), row(1, turn_number=2), row(2, turn_number=1, is_failure=True)]

    assert matching(rows, Filter(turn=2)) == [1]


def test_a_thread_can_be_looked_at_alone():
    rows = [row(0), row(1, thread="labpoll"), row(2, thread=None)]

    assert matching(rows, Filter(thread="labpoll")) == [1]


def test_failures_can_be_looked_at_alone():
    rows = [row(0), row(1, is_failure=True), row(2)]

    assert matching(rows, Filter(failures_only=True)) == [1]
