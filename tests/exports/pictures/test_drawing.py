from __future__ import annotations

import pytest

from debugger.analysis.metrics import NodeTime
from debugger.analysis.position import PositionTracker
from debugger.backends import open_embedded
from debugger.boundary import boundary
from debugger.engine.outbound.known_secrets import KnownSecrets
from debugger.exports.pictures.dot import dot_graph
from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.mermaid import mermaid_text
from debugger.exports.pictures.run_marks import RunMarks
from debugger.exports.pictures.themes import COLOURS, Theme
from debugger.exports.sources import RunReader
from debugger.graph.graph import Graph
from debugger.graph.groups import Group, thread_groups
from debugger.settings import Settings
from tests.support.clinic import clinic_call, play
from tests.support.factories import direct, say, when, workflow


@pytest.fixture(scope="module")
def call():
    """The clinic's graph and the position of a call."""
    backend, run_id = clinic_call()
    run = RunReader(backend, backend.store).run(run_id)
    graph = Graph(run.workflow)
    tracker = PositionTracker(graph)
    for _, log in run.turns():
        tracker.add_turn(log)
    return graph, tracker.position(run.run.status)


def test_path_of_a_run_is_in_the_picture(call):
    graph, position = call
    drawing = Drawing.of(graph, "Clinic", marks=RunMarks.of(position, graph))

    states = {" ".join(shape.name): shape.mark.state for shape in drawing.shapes}
    assert states["Greeting"] == "visited"
    assert "unreached" in states.values()
    steps = [line.mark.steps for line in drawing.lines if line.mark.state == "taken"]
    assert "1" in steps
    source = dot_graph(drawing, Theme()).source
    assert COLOURS["light"]["green"] in source
    assert "green: visited" in source
    assert f"stroke:{COLOURS['dark']['green']}" in mermaid_text(drawing, Theme("dark"))
    assert "the run came to" in drawing.summary


def test_heat_alone_shows_no_path(call):
    graph, position = call
    times = {next(iter(graph.nodes)): NodeTime(750.0, 0.75)}

    drawing = Drawing.of(graph, "Clinic", marks=RunMarks.of(position, graph, (), times, has_path=False))

    hot = next(shape for shape in drawing.shapes if shape.mark.heat)
    assert (hot.mark.heat, hot.captions[-1]) == (0.75, "75 % of the time")
    assert {line.mark.state for line in drawing.lines} == {""}
    assert {shape.mark.state for shape in drawing.shapes} == {"idle"}
    assert Theme().shape(hot).fill != Theme().shape(drawing.shapes[1]).fill


def test_workflow_alone_has_neither(call):
    drawing = Drawing.of(call[0], "Clinic")

    assert "visited" not in dot_graph(drawing, Theme()).source
    assert not any(line.mark.state for line in drawing.lines)


def test_missing_ends_and_frames_are_drawn():
    graph = Graph(
        workflow(
            say("a"), say("sub", type="super_node"), say("sub/b"), direct("a", "sub"), direct("a", "gone")
        )
    )
    groups = [Group("sub", "Inner <work>", ("sub/b",), "super_node")]

    drawing = Drawing.of(graph, "T", groups=groups)

    assert [(frame.key, frame.title) for frame in drawing.frames] == [("g0", "Inner <work>")]
    assert [shape.captions[0] for shape in drawing.shapes if shape.is_missing] == ["missing"]
    source = dot_graph(drawing, Theme()).source
    assert "lhead=cluster_g0" in source
    assert "Inner &#60;work&#62;" in source
    assert 'subgraph g0["Inner #60;work#62;"]' in mermaid_text(drawing, Theme())


def test_companion_threads_have_a_frame():
    companion = {"is_companion_thread": True, "thread_id": "lab"}
    graph = Graph(
        workflow(
            *(say("a"), say("b"), say("c"), direct("a", "b")),
            direct("a", "c", companion_thread_config=companion),
        )
    )

    drawing = Drawing.of(graph, "T", groups=thread_groups(graph))

    assert [(frame.title, frame.is_thread) for frame in drawing.frames] == [("lab", True)]
    assert [line.forks for line in drawing.lines] == [False, True]


def test_secrets_are_masked_before_texts_are_cut(monkeypatch):
    secrets = KnownSecrets()
    secrets.add(["hunter2-and-more"])
    monkeypatch.setattr(boundary, "KNOWN_SECRETS", secrets)
    graph = Graph(
        workflow(
            say("a", name="Ask hunter2-and-more"),
            say("b", name=f"{'x' * 60} hunter2-and-more"),
            when("a", "b", freeform="says hunter2-and-more"),
        )
    )

    drawing = Drawing.of(graph, "hunter2-and-more")

    assert "hunter2" not in dot_graph(drawing, Theme()).source
    assert "hunter2" not in mermaid_text(drawing, Theme())


def test_conditions_are_masked_as_in_an_export_and_names_stay():
    graph = Graph(
        workflow(
            *(say("a", name="Call +49 171 1234567"), say("b"), say("c")),
            when("a", "b", freeform="asks for jane.doe@example.com"),
            when("b", "a", freeform="other", name="Back to +49 171 7654321"),
            direct("a", "c"),
        )
    )
    thread = Group("thread", "asks for jim.doe@example.com", ("c",), "thread")

    drawing = Drawing.of(graph, "+49 171 1234567", groups=[thread])

    assert [" ".join(shape.name) for shape in drawing.shapes] == ["Call +49 171 1234567", "B", "C"]
    assert [" ".join(line.label) for line in drawing.lines] == [
        "asks for [e-mail]",
        "Back to +49 171 7654321",
        "",
    ]
    assert [frame.title for frame in drawing.frames] == ["asks for [e-mail]"]
    assert drawing.title == "+49 171 1234567"


def test_node_that_is_gone_says_so_once_and_shows_that_the_run_is_there():
    backend = open_embedded(Settings(database="sqlite://"))
    run_id = play(backend, "I want to book an appointment")
    run = RunReader(backend, backend.store).run(run_id)
    graph = Graph(workflow(say("other")))
    tracker = PositionTracker(graph)
    for _, log in run.turns():
        tracker.add_turn(log)

    drawing = Drawing.of(graph, "T", marks=RunMarks.of(tracker.position(run.run.status), graph))

    gone = {" ".join(shape.name): shape for shape in drawing.shapes if shape.is_missing}
    assert {shape.captions for shape in gone.values()} == {("not in this version",)}
    looks = {name: Theme().shape(shape) for name, shape in gone.items()}
    assert {look.dash for look in looks.values()} == {"dashed"}
    blue = COLOURS["light"]["blue"]
    assert [name for name, look in looks.items() if look.stroke == blue] == ["Booking intake"]
    assert "blue: here" in dot_graph(drawing, Theme()).source
