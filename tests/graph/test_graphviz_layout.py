"""The layout by each of Graphviz's programs that is installed."""

from __future__ import annotations

import itertools
import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from debugger.errors import DebuggerError, InputError, UnsupportedError
from debugger.graph import Graph, graphviz_layout, graphviz_program
from debugger.graph.diagram import HEADER_HEIGHT, Diagram, Direction
from debugger.graph.graphviz_layout import Frame, place
from debugger.graph.graphviz_program import find_program
from debugger.graph.groups import Group
from tests.support.factories import direct, say, static, workflow
from tests.support.placements import (
    Rectangle,
    around_both,
    badges_of,
    boxes_of,
    drawing,
    labels_of,
    numbers,
    points_along,
    sample,
    workflow_like,
)

BOTH_WAYS = pytest.mark.parametrize("direction", ["down", "right"])
NAMES = ["clinic_front_desk", "city_services", "lab_results", "tea_welcome"]
SAMPLES = pytest.mark.parametrize("name", NAMES)
WHEEL = find_program("json0")
PROGRAMS = {"graphviz-pure": WHEEL if str(WHEEL).endswith("pure") else None, "dot": find_program("pdf")}


@pytest.fixture(params=PROGRAMS)
def program(request, monkeypatch):
    path = PROGRAMS[request.param]
    if path is None:
        pytest.skip(f"{request.param} is not installed")
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: path)


def assert_stay_apart(drawn, placed):
    things = [[box, *badges_of(box)] for box in boxes_of(drawn, placed)]
    things += [[label] for label in labels_of(placed)]
    for some, others in itertools.combinations(things, 2):
        assert not any(one.overlaps(other) for one in some for other in others)
    whole = Rectangle(0, 0, placed.width, placed.height)
    for thing in itertools.chain(*things):
        assert whole.left <= thing.left and thing.right <= whole.right
        assert whole.top <= thing.top and thing.bottom <= whole.bottom


def marks_in_the_way(drawn, placed):
    things = [part for box in boxes_of(drawn, placed) for part in (box, *badges_of(box))] + labels_of(placed)
    marks = [Rectangle.around(route.mark_at, 9, 9) for route in placed.routes]
    return sum(any(mark.overlaps(thing) for thing in things) for mark in marks)


def test_wheel_lays_out_before_dot(tmp_path, monkeypatch):
    for name in ("dot", "graphviz-pure"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(graphviz_program.sysconfig, "get_path", lambda name: str(tmp_path))

    assert find_program("json0") == str(tmp_path / "graphviz-pure")
    assert find_program("svg") == str(tmp_path / "dot")


@BOTH_WAYS
@SAMPLES
def test_badges_and_labels_of_samples_stay_apart(program, name: str, direction: Direction) -> None:
    drawn = sample(name, direction)

    placed = place(drawn)

    assert_stay_apart(drawn, placed)
    boxes = boxes_of(drawn, placed)
    for route in placed.routes:
        assert not any(box.holds(x, y) for x, y in points_along(route.path) for box in boxes)


@BOTH_WAYS
@pytest.mark.skipif(PROGRAMS["graphviz-pure"] is None, reason="graphviz-pure is not installed")
def test_marks_of_samples_are_beside_what_is_there(direction: Direction) -> None:
    drawings = [sample(name, direction) for name in NAMES]

    hidden = [marks_in_the_way(drawn, place(drawn)) for drawn in drawings]

    assert hidden == [0, 0, 0, 0]


@BOTH_WAYS
def test_arrows_begin_and_end_at_their_boxes(program, direction: Direction) -> None:
    drawn = drawing(60, workflow_like(60), direction)

    placed = place(drawn)

    boxes = boxes_of(drawn, placed)
    for arrow, route in zip(drawn.arrows, placed.routes, strict=True):
        (first_x, first_y), *_, (last_x, last_y) = numbers(route.path)
        for box, x, y in ((boxes[arrow.source], first_x, first_y), (boxes[arrow.target], last_x, last_y)):
            nearest = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
            assert abs(nearest[0] - x) + abs(nearest[1] - y) < 0.3
            assert not box.holds(x, y)


@BOTH_WAYS
def test_breakpoints_of_edges_are_on_their_paths(program, direction: Direction) -> None:
    drawn = drawing(40, workflow_like(40), direction)

    for route in place(drawn).routes:
        mark = Rectangle.around(route.mark_at, 2, 2)
        assert any(map(mark.overlaps, map(around_both, itertools.pairwise(points_along(route.path)))))


@BOTH_WAYS
def test_start_is_first_whatever_leads_to_it(program, direction: Direction) -> None:
    drawn = drawing(4, [(1, 0, "again"), (2, 1, ""), (0, 2, ""), (3, 1, "")], direction)

    placed = place(drawn)

    along = [centre[direction == "down"] for centre in placed.centres]
    assert along[0] < min(along[1:])


def test_boxes_without_arrows_are_in_rows_below(program):
    drawn = drawing(20, [(0, 1, ""), (1, 0, "back")])

    placed = place(drawn)

    joined, loose = placed.centres[:2], placed.centres[2:]
    assert max(y for _, y in joined) < min(y for _, y in loose)
    assert len({y for _, y in loose}) > 1
    assert placed.width < 800
    assert_stay_apart(drawn, placed)


def test_box_without_arrows_is_where_there_is_room(program):
    rooms = [(0, place, f"to number {place}") for place in range(1, 5)] + [(1, 5, ""), (5, 6, "")]
    without, drawn = drawing(7, rooms), drawing(8, rooms)

    placed = place(drawn)

    assert (placed.width, placed.height) == (place(without).width, place(without).height)
    assert_stay_apart(drawn, placed)


def test_picture_that_is_too_wide_is_made_narrower(program, monkeypatch):
    drawn = sample("clinic_front_desk")
    placed = place(drawn)
    monkeypatch.setattr(graphviz_layout, "_MOST_TIGHT", 0)

    assert placed.width < 0.95 * place(drawn).width
    assert placed.height < place(drawn).height


@BOTH_WAYS
@SAMPLES
@pytest.mark.skipif(PROGRAMS["graphviz-pure"] is None, reason="graphviz-pure is not installed")
def test_no_edge_of_samples_crosses_a_label(name: str, direction: Direction) -> None:
    drawn = sample(name, direction)

    placed = place(drawn)

    tracks = [points_along(route.path) for route in placed.routes]
    assert not any(label.holds(x, y) for label in labels_of(placed) for track in tracks for x, y in track)


@BOTH_WAYS
def test_loops_have_room_for_label_and_breakpoint(program, direction: Direction) -> None:
    drawn = drawing(2, [(0, 0, "ask again"), (0, 1, "done"), (1, 1, "")], direction)

    placed = place(drawn)

    assert_stay_apart(drawn, placed)
    assert marks_in_the_way(drawn, placed) == 0


def test_each_edge_of_a_large_graph_is_looked_at_a_few_times(monkeypatch):
    drawn = drawing(200, workflow_like(200), "right")
    calls = []
    ends = graphviz_layout._Graph.ends
    monkeypatch.setattr(
        graphviz_layout._Graph, "ends", lambda self, arrow: calls.append(1) or ends(self, arrow)
    )

    place(drawn)

    assert len(calls) < 5 * len(drawn.arrows)


def test_groups_hold_what_is_in_them(program):
    graph = Graph(
        workflow(
            static("a", "Hi"),
            say("g"),
            say("g/in"),
            say("g/out"),
            direct("a", "g"),
            direct("g/in", "g/out"),
            direct("g/out", "a"),
        )
    )
    drawn = Diagram.of(graph, "down", [Group("g", "G", ("g/in", "g/out"), "super_node")])

    placed = place(drawn)

    group = next(place for place, box in enumerate(drawn.boxes) if box.id == "g")
    frame = Frame.around(placed.centres[group], *placed.sizes[group])
    inner = placed.inner[group]
    for centre, size in zip(inner.centres, inner.sizes, strict=True):
        box = Frame.around(centre, *size)
        assert frame.left < box.left and box.right < frame.right
        assert frame.top + HEADER_HEIGHT < box.top and box.bottom < frame.bottom
    entering, leaving = (numbers(route.path) for route in placed.routes)
    assert abs(entering[-1][1] - frame.top) < 0.3  # at the group
    out = Frame.around(inner.centres[1], *inner.sizes[1])
    assert out.left - 0.3 <= leaving[0][0] <= out.right + 0.3  # at the node inside
    assert out.top - 0.3 <= leaving[0][1] <= out.bottom + 0.3


def test_group_is_between_what_leads_to_it_and_what_follows(program):
    graph = Graph(
        workflow(
            static("a", "Hi"),
            say("desk"),
            say("g"),
            say("after"),
            say("g/in"),
            say("g/out"),
            direct("a", "desk"),
            direct("desk", "g"),
            direct("g", "after"),
            direct("g", "desk"),
            direct("g/in", "g/out"),
        )
    )
    drawn = Diagram.of(graph, "down", [Group("g", "G", ("g/in", "g/out"), "super_node")])

    placed = place(drawn)

    ids = [box.id for box in drawn.boxes]
    y = {key: centre[1] for key, centre in zip(ids, placed.centres, strict=True)}
    assert y["a"] < y["desk"] < y["g"] < y["after"]
    back = numbers(placed.routes[[arrow.ends for arrow in drawn.arrows].index(("g", "desk"))].path)
    assert back[0][1] > back[-1][1]  # from the group up to the node


def test_program_is_told_no_texts(monkeypatch):
    sent = []
    monkeypatch.setattr(
        graphviz_layout, "run_program", lambda source, output, **rest: sent.append(source) or sys.exit()
    )

    with pytest.raises(SystemExit):
        place(drawing(2, [(0, 1, 'a "label" <B>')]))

    assert "label" in sent[0] and not re.search("Node|number|a .label|<B>", sent[0])


def test_nothing_to_lay_out_needs_no_program(monkeypatch):
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: None)

    assert place(drawing(0, [])).width > 0
    assert len(place(drawing(3, [])).centres) == 3
    with pytest.raises(
        UnsupportedError, match=r"The layout needs Graphviz's program dot: .* graphviz-pure: "
    ):
        place(drawing(2, [(0, 1, "")]))


@pytest.mark.parametrize(
    "written", ["dot 1.0: a template engine", "{}", "{", '{"bb": "a,b"}', '{"bb": 1}', '{"objects": [1]}']
)
def test_answer_that_is_no_layout_is_told(tmp_path, monkeypatch, written):
    odd = tmp_path / "dot"
    odd.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{written}'\n")
    odd.chmod(0o755)
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: str(odd))
    monkeypatch.setattr(graphviz_layout, "find_program", lambda output: str(odd))

    with pytest.raises(DebuggerError, match=r"dot (writes|cannot write) .*The table shows the same"):
        place(drawing(2, [(0, 1, "")]))


@BOTH_WAYS
def test_edge_that_the_program_cannot_lead_around_boxes_is_straight(
    tmp_path, monkeypatch, direction: Direction
) -> None:
    drawn = drawing(3, [(0, 1, "yes"), (1, 2, "no")], direction)
    real = find_program("json0")
    lossy = tmp_path / "dot"
    lossy.write_text(
        f"#!{sys.executable}\n"
        "import json, subprocess, sys\n"
        f"answer = json.loads(subprocess.run([{real!r}, '-Tjson0'], stdin=0, stdout=-1).stdout)\n"
        "for edge in answer['edges']:\n"
        "    if edge['id'] == 'e1':\n"
        "        del edge['pos'], edge['lp']\n"
        "print(json.dumps(answer))\n"
        "sys.exit('Error: lost n1 n2 edge')\n"
    )
    lossy.chmod(0o755)
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: str(lossy))

    placed = place(drawn)

    source, target = boxes_of(drawn, placed)[1:]
    (first_x, first_y), *_, (last_x, last_y) = numbers(placed.routes[1].path)
    for box, x, y in ((source, first_x, first_y), (target, last_x, last_y)):
        nearest = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
        assert abs(nearest[0] - x) + abs(nearest[1] - y) < 0.3
        assert not box.holds(x, y)
    label = labels_of(placed)[1]
    middle = Rectangle.around(((first_x + last_x) / 2, (first_y + last_y) / 2), 2, 2)
    assert Rectangle(label.left - 20, label.top - 20, label.right + 20, label.bottom + 20).overlaps(middle)
    assert not any(label.holds(x, y) for x, y in points_along(placed.routes[1].path))


def test_long_layout_is_ended(tmp_path, monkeypatch):
    slow = tmp_path / "dot"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: str(slow))
    monkeypatch.setattr(graphviz_layout, "SECONDS", 0.2)

    with pytest.raises(InputError, match=r"more time than a layout may take\. Close super nodes; the table"):
        place(drawing(2, [(0, 1, "")]))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of computing is Linux's")
def test_layout_that_computes_too_long_is_ended(tmp_path, monkeypatch):
    busy = tmp_path / "dot"
    busy.write_text("#!/bin/sh\nwhile :; do :; done\n")
    busy.chmod(0o755)
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: str(busy))
    monkeypatch.setattr(graphviz_layout, "CPU_SECONDS", 1)
    monkeypatch.setattr(graphviz_layout, "SECONDS", 60)

    with pytest.raises(InputError, match="more time than a layout may take"):
        place(drawing(2, [(0, 1, "")]))


def test_program_is_identified(program):
    told = graphviz_program.identify_program("json0")

    assert re.search(r"graphviz.* version \d", told), told


@BOTH_WAYS
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    case=st.integers(1, 9).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.lists(
                st.tuples(
                    st.integers(0, count - 1),
                    st.integers(0, count - 1),
                    st.sampled_from(["", "yes", "label " * 4]),
                ),
                max_size=14,
            ),
        )
    )
)
def test_boxes_and_labels_of_any_small_graph_stay_apart(
    program, direction: Direction, case: tuple[int, list[tuple[int, int, str]]]
) -> None:
    drawn = drawing(*case, direction)

    assert_stay_apart(drawn, place(drawn))
