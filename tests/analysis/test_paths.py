from __future__ import annotations

from debugger.analysis.event_fields import fields_of
from debugger.analysis.paths import PathReader, conditions_text, edges_text, path_text, verdicts_text
from debugger.graph import Graph
from tests.support.factories import direct, say, static, when, workflow
from tests.support.short_turns import transition, turn


def path_of(graph, *events):
    log = turn(1, None, *events)
    return PathReader(Graph(graph)).add_turn(log, fields_of(log.events))


def test_path_names_nodes_and_edges_in_order():
    graph = workflow(
        say("desk"), static("tea", "Tea"), when("desk", "tea", "[[a]] > 1"), direct("tea", "desk")
    )

    steps = path_of(graph, transition("desk", "tea", "book"), transition("tea", "desk", kind="direct_edge"))

    assert path_text(steps) == "Desk > book > Tea > always > Desk"
    assert edges_text(steps) == "book > always"


def test_edge_without_name_is_named_by_its_condition():
    graph = workflow(
        say("desk"), static("tea", "Tea"), when("desk", "tea", "[[a]] > 1", logical_id="edge_desk_tea")
    )

    [step] = path_of(graph, transition("desk", "tea"))

    assert (step.edge, step.condition) == ("[[a]] > 1", "[[a]] > 1")
    assert conditions_text([step]) == "[[a]] > 1"
    assert verdicts_text([step]) == "condition held"


def test_conditions_of_edges_with_one_name():
    graph = workflow(
        say("desk"),
        static("tea", "Tea"),
        when("desk", "tea", "[[a]] > 1", name="yes", logical_id="first"),
        when("tea", "desk", "[[b]] > 2", name="yes", logical_id="second"),
    )
    ways = (("desk", "tea", "first"), ("tea", "desk", "second"), ("desk", "tea", "first"))

    steps = path_of(
        graph,
        *(
            {**transition(source, target, "yes"), "edge_logical_id": edge, "reason": f"{edge} reason"}
            for source, target, edge in ways
        ),
    )

    assert conditions_text(steps) == "yes: [[a]] > 1 | yes: [[b]] > 2"
    assert verdicts_text(steps) == "yes: condition held (first reason) | yes: condition held (second reason)"


def test_path_that_is_moved_begins_anew():
    graph = workflow(say("desk"), static("tea", "Tea"), static("cake", "Cake"))

    steps = path_of(
        graph, transition("desk", "tea", "a"), transition("cake", "desk", kind="force_transfer_to_node")
    )

    assert path_text(steps) == "Desk > a > Tea > Cake > moved manually > Desk"


def test_companions_have_paths_of_their_own():
    graph = workflow(say("desk"), static("tea", "Tea"), static("lab", "Lab"))
    beside = {**transition("lab", "lab", "again"), "origin_thread_id": "0_companion_lab"}

    steps = path_of(graph, transition("desk", "tea", "a"), beside)

    assert path_text(steps) == "Desk > a > Tea; [lab] Lab > again > Lab"


def test_last_transition_may_lead_nowhere():
    end = {**transition("desk", "tea", "done"), "destination_node_logical_id": None}

    [step] = path_of(workflow(say("desk")), end)

    assert path_text([step]) == "Desk > done > (end)"


def test_reader_continues_over_turns():
    graph = workflow(say("desk"), static("tea", "Tea"))
    reader = PathReader(Graph(graph))
    first, second = (
        turn(1, None, transition("desk", "tea", "a")),
        turn(2, None, transition("tea", "desk", "b")),
    )

    steps = [reader.add_turn(log, fields_of(log.events)) for log in (first, second)]

    assert [step.event_index for [step] in steps] == [0, 1]
