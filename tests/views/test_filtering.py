from __future__ import annotations

import pytest

from debugger.analysis.timeline import TimelineRow
from debugger.views.filtering import Filter, shown


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


def test_steps_leave_the_bookkeeping_out_and_tell_how_much():
    rows = [
        row(0),
        row(1, "start_node_run", importance="low"),
        row(2, "workflow_show_state", importance="low"),
    ]

    found = shown(rows, Filter())

    assert [kept.index for kept in found.rows] == [0]
    assert found.hidden == 2


def test_everything_means_everything():
    rows = [row(0), row(1, "start_node_run", importance="low")]

    assert shown(rows, Filter(density="Everything")).hidden == 0


@pytest.mark.parametrize(
    "wanted", [Filter(text="nothing of it"), Filter(types=frozenset({"x"})), Filter(node="b")]
)
def test_a_failure_is_never_hidden(wanted):
    rows = [row(0), row(1, "end_node_run", is_failure=True)]

    assert [kept.index for kept in shown(rows, wanted).rows] == [1]


def test_a_type_that_is_asked_for_is_shown_although_it_is_bookkeeping():
    rows = [row(0), row(1, "start_node_run", importance="low")]

    assert [kept.index for kept in shown(rows, Filter(types=frozenset({"start_node_run"}))).rows] == [1]


@pytest.mark.parametrize("text", ["ORDER", "tea ask", "direct_edge", "which → order"])
def test_all_words_must_be_there_in_any_case_and_any_place(text):
    rows = [row(0), row(1, "say_llm", node_name="Bye", node_logical_id="bye", summary="Bye: see you")]

    assert [kept.index for kept in shown(rows, Filter(text=text)).rows] == [0]


def test_a_chosen_node_keeps_its_own_events():
    rows = [row(0), row(1, node_logical_id="bye"), row(2, node_logical_id=None)]

    assert [kept.index for kept in shown(rows, Filter(node="bye")).rows] == [1]


def test_a_turn_can_be_looked_at_alone():
    rows = [row(0), row(1, turn_number=2), row(2, turn_number=1, is_failure=True)]

    assert [kept.index for kept in shown(rows, Filter(turn=2)).rows] == [1]
