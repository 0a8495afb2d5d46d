from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.super_nodes import unfold
from debugger.errors import DebuggerError, InputError
from debugger.expressions import Scope, template
from debugger.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.session.breakpoints import Breakpoint, Breakpoints
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static, when, workflow
from tests.support.super_nodes import Run, expanded, super_node


def ran(tmp_path, *parts):
    """The events of a first turn, and breakpoints for its workflow."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    flow = document(*parts)
    run_id = backend.execute(backend.create_workflow(flow).id, TurnInput.with_message(None)).finish().run_id
    (turn,) = turn_logs(backend.run(run_id))
    backend.close()
    return turn.events, Breakpoints(Graph(workflow(*parts)))


def met_at(events, breakpoints, scope=Scope):
    """The types of the events at which something was met."""
    return [event.type for event in events if breakpoints.match(event, scope)]


def test_breakpoint_before_node_hits_when_node_starts(tmp_path):
    events, breakpoints = ran(tmp_path, static("a", "A"), static("b", "B"), direct("a", "b"))
    breakpoints.put(Breakpoint("before", "b"))

    hits = [(event.type, event.origin_node_logical_id) for event in events if breakpoints.match(event, Scope)]

    assert hits == [("start_node_run", "b")]


def test_breakpoint_after_node_hits_after_its_state(tmp_path):
    events, breakpoints = ran(tmp_path, static("a", "A"), static("b", "B"), direct("a", "b"))
    breakpoints.put(Breakpoint("after", "a"))

    assert met_at(events, breakpoints) == ["workflow_show_state"]


def test_breakpoint_on_direct_edge_hits_without_id(tmp_path):
    events, breakpoints = ran(tmp_path, static("a", "A"), static("b", "B"), direct("a", "b", logical_id="e"))
    breakpoints.put(Breakpoint("edge", "e"))

    assert met_at(events, breakpoints) == ["direct_edge"]


def test_breakpoint_on_parallel_edge_hits_that_only(tmp_path):
    edges = [
        when("a", "b", "1 == 2", logical_id="never"),
        when("a", "b", "1 == 1", logical_id="always"),
    ]
    events, breakpoints = ran(tmp_path, node("a", "no_op"), static("b", "B"), *edges)
    breakpoints.put(Breakpoint("edge", "never"))
    breakpoints.put(Breakpoint("edge", "always"))

    hits = [hit.point.target for event in events for hit in breakpoints.match(event, Scope)]

    assert hits == ["always"]


def test_breakpoint_on_errors_hits_failure(tmp_path):
    events, breakpoints = ran(tmp_path, node("a", "no_op"), when("a", "a", "1 <"))
    breakpoints.put(Breakpoint("error"))

    assert met_at(events, breakpoints) == ["workflow_error"]


@pytest.mark.parametrize(
    ("mark", "hits"),
    [
        ({"trouble": {"kind": "configuration"}}, 0),
        ({}, 0),
        ({"trouble": {"kind": "model", "node": "a"}}, 1),
        ({"trouble": {"kind": "cut_reply"}}, 1),
        ({"trouble": {"kind": "loop_limit", "faulted": True}}, 1),
    ],
)
def test_a_mere_warning_is_no_error(mark, hits):
    breakpoints = Breakpoints(Graph(workflow(static("a", "A"))))
    breakpoints.put(Breakpoint("error"))
    event = parse_event({"type": "workflow_warning", "warning_message": "No value for {{x}}.", **mark})

    assert len(breakpoints.match(event, Scope)) == hits


def opened(tmp_path, *parts):
    """The events of a first turn, and breakpoints that can name what is inside super nodes."""
    events, breakpoints = ran(tmp_path, *parts)
    written = workflow(*parts)
    breakpoints.show_inner_nodes(unfold(written, expanded(written)).graph)
    return events, breakpoints


def box():
    """A super node with two nodes and the edge between them, and the edge out of it."""
    inside = document(static("one", "One"), static("two", "Two"), direct("one", "two"))
    return (
        static("a", "A"),
        super_node("box", inside),
        static("b", "B"),
        direct("a", "box"),
        direct("box", "b"),
    )


def test_breakpoint_on_inner_node_and_edge_hits(tmp_path):
    events, breakpoints = opened(tmp_path, *box())
    breakpoints.put(Breakpoint("before", "box/two"))
    breakpoints.put(Breakpoint("edge", "box/edge_one_two"))

    assert met_at(events, breakpoints) == ["direct_edge", "start_node_run"]


@pytest.mark.parametrize("prepare", [ran, opened])
@pytest.mark.parametrize("edge", ["edge_a_box", "edge_box_b"])
def test_breakpoint_on_edge_of_super_node_hits(tmp_path, prepare, edge):
    events, breakpoints = prepare(tmp_path, *box())
    breakpoints.put(Breakpoint("edge", edge))

    assert met_at(events, breakpoints) == ["direct_edge"]


def test_transition_inside_hits_no_edge_to_its_own_super_node(tmp_path):
    events, breakpoints = ran(tmp_path, *box()[:-1], direct("box", "box", logical_id="again"))
    breakpoints.put(Breakpoint("edge", "again"))

    assert breakpoints.match(events[0], Scope) == []
    inner = [event for event in events if event.type == "direct_edge"][:2]
    assert [breakpoints.match(event, Scope) for event in inner] == [[], []]


def test_breakpoint_on_inner_node_is_verified_and_named(tmp_path):
    _, breakpoints = opened(tmp_path, *box())
    point = breakpoints.put(Breakpoint("before", "box/two"))

    assert breakpoints.explain_unreachable(point) is None
    assert breakpoints.describe_location(point) == "before Box › Two"


def test_super_node_is_reached_with_first_inner_node(tmp_path):
    inside = document(static("one", "One"), static("two", "Two"), direct("one", "two"))
    events, breakpoints = ran(tmp_path, static("a", "A"), super_node("box", inside), direct("a", "box"))
    breakpoints.put(Breakpoint("before", "box"))

    assert met_at(events, breakpoints) == ["start_node_run"]


def test_condition_counts_only_when_it_holds(tmp_path):
    events, breakpoints = ran(tmp_path, static("a", "A"), static("b", "B"), direct("a", "b"))
    breakpoints.put(Breakpoint("event", "start_node_run", condition="[[n]] >= 2"))
    numbers = iter([1, 2])

    hits = [
        event.origin_node_logical_id
        for event in events
        if breakpoints.match(event, lambda: Scope(runtime={"n": next(numbers)}))
    ]

    assert hits == ["b"]


def test_failing_condition_hits_and_gives_reason(tmp_path):
    events, breakpoints = ran(tmp_path, static("a", "A"))
    breakpoints.put(Breakpoint("before", "a", condition="[[n]] < 2"))

    (hit,) = [hit for event in events for hit in breakpoints.match(event, lambda: Scope(runtime={"n": []}))]

    assert "Error evaluating condition expression" in hit.problem


@pytest.mark.parametrize(
    ("hits", "wanted"), [("", [1, 2, 3, 4, 5]), ("2", [2]), (">=4", [4, 5]), ("%2", [2, 4])]
)
def test_hits_select_among_matches(tmp_path, hits, wanted):
    events, breakpoints = ran(tmp_path, static("a", "A"))
    start = next(event for event in events if event.type == "start_node_run")
    breakpoints.put(Breakpoint("before", "a", hits=hits))

    met = [number for number in range(1, 6) if breakpoints.match(start, Scope)]

    assert met == wanted


def test_a_log_point_fills_its_text(tmp_path):
    events, breakpoints = ran(tmp_path, static("a", "A"))
    breakpoints.put(Breakpoint("before", "a", log="n is [[n]]"))

    lines = [
        hit.line for event in events for hit in breakpoints.match(event, lambda: Scope(runtime={"n": 7}))
    ]

    assert lines == ["n is 7"]


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (Breakpoint("before", "gone"), "no such node"),
        (Breakpoint("after", "off"), "disabled"),
        (Breakpoint("edge", "gone"), "no such edge"),
        (Breakpoint("event", "gone"), "no such event type"),
        (Breakpoint("before", "a"), None),
        (Breakpoint("edge", "e"), None),
        (Breakpoint("error"), None),
    ],
)
def test_unreachable_breakpoint_gives_reason(point, reason):
    flow = workflow(static("a", "A"), static("off", "", disabled=True), direct("a", "off", logical_id="e"))

    doubt = Breakpoints(Graph(flow)).explain_unreachable(point)

    assert doubt is None if reason is None else reason in doubt


@pytest.mark.parametrize(
    "point",
    [
        Breakpoint("before", ""),
        Breakpoint("before", "a", hits="often"),
        Breakpoint("before", "a", condition="[[n]] >"),
    ],
)
def test_unreadable_breakpoint_is_rejected_and_not_set(point):
    breakpoints = Breakpoints(Graph(workflow(static("a", "A"))))

    with pytest.raises(DebuggerError):
        breakpoints.put(point)

    assert breakpoints.points == []


def test_breakpoints_round_trip_as_json():
    breakpoints = Breakpoints(Graph(workflow(static("a", "A"))))
    breakpoints.put(Breakpoint("before", "a", "[[n]] == 1", "5"))
    breakpoints.put(Breakpoint("error", log="oh", is_enabled=False))
    again = Breakpoints(Graph(workflow(static("a", "A"))))

    again.restore(breakpoints.to_json())

    assert again.points == breakpoints.points


def test_breakpoints_of_a_newer_format_are_refused():
    with pytest.raises(InputError, match="format 99"):
        Breakpoints(Graph(workflow(static("a", "A")))).restore({"format": 99})


@pytest.mark.parametrize("row", [{"kind": "before", "target": "b", "hits": "often"}, {"kind": []}, 7, {}])
def test_damaged_breakpoints_replace_none(row):
    breakpoints = Breakpoints(Graph(workflow(static("a", "A"))))
    point = breakpoints.put(Breakpoint("before", "a"))

    with pytest.raises(InputError, match="damaged"):
        breakpoints.restore({"format": 1, "breakpoints": [{"kind": "error"}, row]})

    assert breakpoints.points == [point]


def test_costly_log_text_is_reported(tmp_path, monkeypatch):
    events, breakpoints = ran(tmp_path, static("a", "A"))
    breakpoints.put(Breakpoint("before", "a", log="{{ a | upcase }}" * 3))
    monkeypatch.setattr(template, "MAX_RENDERED_CHARACTERS", 10)

    hits = [
        hit for event in events for hit in breakpoints.match(event, lambda: Scope(dynamic={"a": "abcdef"}))
    ]

    assert [(hit.line, "characters" in hit.problem) for hit in hits] == [("{{ a | upcase }}" * 3, True)]


def test_a_second_click_takes_a_breakpoint_away():
    breakpoints = Breakpoints(Graph(workflow(static("a", "A"))))

    breakpoints.toggle(("before", "after"), "a")
    set_once = len(breakpoints.points)
    breakpoints.toggle(("before", "after"), "a")

    assert (set_once, breakpoints.points) == (1, [])


def test_super_node_that_leads_to_itself_begins_again():
    inside = document(static("greet", "Hi"), say("ask"), direct("greet", "ask"))
    drawn = workflow(super_node("booking", inside), when("booking", "booking", "1 == 1"))
    run, breakpoints = Run(drawn), Breakpoints(Graph(drawn))
    breakpoints.put(Breakpoint("before", "booking"))

    hits = [
        len(met_at([parse_event(event) for event in run.turn(text)], breakpoints))
        for text in (None, "x", "y")
    ]

    assert hits == [1, 1, 1]


def test_transition_to_global_node_hits_no_edge(tmp_path):
    everywhere = {"is_global": True, "condition": {"condition_expression": "1 == 1"}}
    never = when("a", "help", "1 == 2", logical_id="never")
    events, breakpoints = ran(
        tmp_path, static("a", "A"), static("help", "Help", global_node_config=everywhere), never
    )
    breakpoints.put(Breakpoint("edge", "never"))

    assert "conditional_edge" in [event.type for event in events]
    assert met_at(events, breakpoints) == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "workflow_show_state", "thread_id": ["0"]},
        {"type": "start_node_run", "origin_node_logical_id": "a", "super_node_origin": 7},
    ],
)
def test_fields_of_an_odd_kind_hit_nothing(event):
    """An event of a hosted API must not end the turn."""
    breakpoints = Breakpoints(Graph(workflow(static("a", "A"))))
    breakpoints.put(Breakpoint("after", "a"))

    assert breakpoints.match(parse_event(event), Scope) == []
