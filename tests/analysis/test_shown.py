from __future__ import annotations

import pytest

from debugger.analysis.filtered_timeline import DENSITIES, Filter, shown
from debugger.analysis.run_projection import RunIndex
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog
from tests.factories import say, static, workflow


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
    return RunIndex(Graph(workflow(say("ask"), static("bye")))).read(logs)


@pytest.mark.parametrize(
    ("density", "expected", "total"),
    [
        ("Turns", [0, 1, 2], 3),
        ("Steps", [0, 1, 2, 3], 4),
        ("Events", [1, 6, 8], 10),
        ("Raw", list(range(10)), 10),
    ],
)
def test_each_density_has_its_rows_and_counts_what_it_hides(density, expected, total):
    found = shown(run(), Filter(), density)

    assert list(found.places) == expected
    assert (found.total, found.hidden) == (total, total - len(expected))


@pytest.mark.parametrize(("density", "expected"), [("Turns", [0, 1]), ("Steps", [0, 2])])
def test_a_turn_or_a_step_is_shown_when_one_of_its_events_is(density, expected):
    assert list(shown(run(), Filter(text="which tea"), density).places) == expected


@pytest.mark.parametrize("density", DENSITIES)
def test_no_density_hides_a_failure(density):
    told = run()
    found = shown(told, Filter(text="nowhere to be found"), density)

    row, is_shown = found.row_of(6, told)

    assert (len(found.places), row, is_shown) == (1, 0, True)
    assert found.trouble == {"failure": 1}


def test_an_event_that_is_hidden_is_looked_for_at_the_row_before_it():
    told = run()
    found = shown(told, Filter(), "Events")

    assert found.row_of(0, told) == (None, False)
    assert found.row_of(5, told) == (0, False)
    assert found.row_of(6, told) == (1, True)
