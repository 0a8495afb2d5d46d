from __future__ import annotations

import pytest

from debugger.analysis.filtered_timeline import (
    DENSITIES,
    Filter,
    filter_timeline,
    important_rows,
    matching_rows,
    next_event,
)
from debugger.analysis.run_projection import RunProjection
from debugger.analysis.timeline import SearchTexts, TimelineRow
from debugger.analysis.trouble import Trouble
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import say, static, workflow


def node_run(node, *between, **output):
    about = {"origin_node_logical_id": node, "origin_node_name": node.capitalize(), "origin_thread_id": "0"}
    inside = ({**event, **about} for event in between)
    return [
        {"type": "start_node_run", **about},
        *inside,
        {"type": "end_node_run", "run_output": output, **about},
    ]


def run():
    turns = [
        node_run("ask", {"type": "assistant_response", "content": "Which tea?"}),
        [*node_run("bye"), *node_run("ask", success=False, error_message="503")],
        node_run("bye", {"type": "assistant_response", "content": "Bye!"}),
    ]
    logs = [TurnLog(at + 1, TurnInput(), list(map(parse_event, turn))) for at, turn in enumerate(turns)]
    return RunProjection(Graph(workflow(say("ask"), static("bye")))).read(logs)


@pytest.mark.parametrize(
    ("density", "expected", "total"),
    [
        ("Turns", [0, 1, 2], 3),
        ("Steps", [0, 1, 2, 3], 4),
        ("Key events", [1, 6, 8], 10),
        ("All events", list(range(10)), 10),
    ],
)
def test_filter_timeline_counts_hidden_rows(density, expected, total):
    found = filter_timeline(run(), Filter(), density)

    assert list(found.places) == expected
    assert (found.total, found.hidden) == (total, total - len(expected))


@pytest.mark.parametrize(("density", "expected"), [("Turns", [0, 1]), ("Steps", [0, 2])])
def test_filter_timeline_shows_owners_of_matches(density, expected):
    assert list(filter_timeline(run(), Filter(text="which tea"), density).places) == expected


@pytest.mark.parametrize("density", DENSITIES)
def test_no_density_hides_a_failure(density):
    told = run()
    found = filter_timeline(told, Filter(text="nowhere to be found"), density)

    row, is_shown = found.row_of(6, told)

    assert (len(found.places), row, is_shown) == (1, 0, True)
    assert found.trouble == {"failure": 1}


def test_row_of_hidden_event_is_the_previous():
    told = run()
    found = filter_timeline(told, Filter(), "Key events")

    assert found.row_of(0, told) == (None, False)
    assert found.row_of(5, told) == (0, False)
    assert found.row_of(6, told) == (1, True)


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
        "trouble": None,
        **fields,
    }
    return TimelineRow(index=index, type=event_type, **values)


def test_events_leave_the_bookkeeping_out():
    rows = [
        row(0),
        row(1, "start_node_run", importance="low"),
        row(2, "workflow_show_state", importance="low"),
    ]

    assert important_rows(rows, matching_rows(rows, Filter()), Filter()) == [0]


def test_nothing_asked_for_is_everything():
    rows = [row(0), row(1, "start_node_run", importance="low")]

    assert matching_rows(rows, Filter()) == [0, 1]


@pytest.mark.parametrize(
    "wanted", [Filter(text="nothing of it"), Filter(types=frozenset({"x"})), Filter(node="b")]
)
def test_a_failure_is_never_hidden(wanted):
    rows = [row(0), row(1, "end_node_run", trouble=Trouble("tool"))]

    assert matching_rows(rows, wanted) == [1]


def test_a_failure_stays_in_its_place():
    rows = [row(0, "a"), row(1, "b", trouble=Trouble("tool")), row(2, "a"), row(3, "b")]

    assert matching_rows(rows, Filter(types=frozenset({"a"}))) == [0, 1, 2]


def test_filter_timeline_shows_selected_bookkeeping_type():
    rows = [row(0), row(1, "start_node_run", importance="low")]
    wanted = Filter(types=frozenset({"start_node_run"}))

    assert important_rows(rows, matching_rows(rows, wanted), wanted) == [1]


@pytest.mark.parametrize("text", ["ORDER", "tea ask", "direct_edge", "which → order"])
def test_matching_rows_need_every_word(text):
    rows = [row(0), row(1, "say_llm", node_name="Bye", node_logical_id="bye", summary="Bye: see you")]

    assert matching_rows(rows, Filter(text=text)) == [0]


def test_search_texts_follow_replaced_rows():
    texts = SearchTexts()
    rows = [row(0), row(1, summary="green tea"), row(2, summary="black tea")]
    matching_rows(rows, Filter(text="tea"), texts)

    again = [*rows[:1], row(1, summary="a cake")]

    assert matching_rows(again, Filter(text="cake"), texts) == [1]
    assert matching_rows(rows, Filter(text="black"), texts) == [2]


def test_search_texts_survive_search_of_other_tab():
    texts = SearchTexts()
    before = [row(0), row(1), row(2)]
    texts.of(before)

    class Rows(list[TimelineRow]):
        """Rows during whose search another thread searches fewer of them."""

        def __getitem__(self, index):
            texts.of(before[:1])
            return super().__getitem__(index)

    assert len(texts.of(Rows([*before, row(3)]))) == 4


def test_a_chosen_node_keeps_its_own_events():
    rows = [row(0), row(1, node_logical_id="bye"), row(2, node_logical_id=None)]

    assert matching_rows(rows, Filter(node="bye")) == [1]


def test_matching_rows_of_a_super_node():
    rows = [row(0, node_logical_id="box/ask", drawn_node="box"), row(1)]

    assert matching_rows(rows, Filter(node="box")) == [0]
    assert matching_rows(rows, Filter(node="box/ask")) == [0]


def test_a_turn_can_be_looked_at_alone():
    rows = [row(0), row(1, turn_number=2), row(2, turn_number=1, trouble=Trouble("tool"))]

    assert matching_rows(rows, Filter(turn=2)) == [1]


def test_a_thread_can_be_looked_at_alone():
    rows = [row(0), row(1, thread="labpoll"), row(2, thread=None)]

    assert matching_rows(rows, Filter(thread="labpoll")) == [1]


def test_failures_can_be_looked_at_alone():
    rows = [row(0), row(1, trouble=Trouble("tool")), row(2)]

    assert matching_rows(rows, Filter(failures_only=True)) == [1]


@pytest.mark.parametrize(
    ("density", "expected"),
    [("Turns", [1]), ("Steps", [1]), ("Key events", [4]), ("All events", [4])],
)
def test_including_adds_row_of_event(density, expected):
    found = filter_timeline(run(), Filter(text="no such word", thread="0", turn=1), density)

    more = found.including(4, run())

    assert list(more.places) == [*found.places, *expected]
    assert more.row_of(4, run()) == (len(found.places), True)
    assert more.hidden == found.hidden - 1


def test_including_leaves_rows_that_hold_event():
    found = filter_timeline(run(), Filter(), "Key events")

    assert found.including(6, run()) is found
    assert list(found.including(0, run()).places) == [0, 1, 6, 8]


SHOWN = [1, 6, 8]
"""Of the ten events of `run`: turns begin at 0, 3 and 7, node runs at 0, 3, 5 and 7."""


@pytest.mark.parametrize(
    ("kind", "current", "expected"),
    [
        ("event", None, 8),
        ("event", 0, 1),
        ("event", 1, 6),
        ("event", 8, None),
        ("node", None, 7),
        ("node", 0, 3),
        ("node", 3, 5),
        ("node", 7, None),
        ("turn", None, 9),
        ("turn", 0, 2),
        ("turn", 2, 6),
        ("turn", 9, None),
    ],
)
def test_next_event_of_each_kind(kind, current, expected):
    assert next_event(run().timeline.rows, SHOWN, current, kind) == expected


@pytest.mark.parametrize("kind", ["event", "node", "turn"])
def test_next_event_of_no_events(kind):
    assert next_event([], [], None, kind) is None
