"""The command ``graph``."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from debugger.cli.check import is_workflow_file, read_content
from debugger.cli.export import exit_codes, find_workflow_id, replaced_file, settings_on
from debugger.cli.maintenance import Database, counted
from debugger.cli.output import say
from debugger.errors import ConflictError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debugger.backends.embedded import EmbeddedBackend
    from debugger.exports.pictures.run_marks import RunMarks
    from debugger.exports.records import ExportedRun
    from debugger.graph.graph import Graph
    from debugger.graph.groups import Group
    from debugger.protocol.workflow import Workflow


def graph(
    workflow: Annotated[
        str,
        typer.Argument(
            help="A file with a workflow as JSON, '-' for standard input; else the id or the name of a "
            "stored workflow, whose active version is drawn, or the version of the run."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file: *.svg, *.png, *.pdf, *.dot or *.mmd (Mermaid).")
    ],
    run: Annotated[str, typer.Option("--run", help="A stored run, whose path is drawn.")] = "",
    heat: Annotated[
        bool, typer.Option("--heat", help="Tint the nodes by their share of the run's time.")
    ] = False,
    no_path: Annotated[bool, typer.Option("--no-path", help="Of a run draw the heat alone.")] = False,
    opened: Annotated[
        bool,
        typer.Option("--open", help="Draw what is inside super nodes, from the store where it is there."),
    ] = False,
    direction: Annotated[Literal["down", "right"], typer.Option(help="Where most edges point.")] = "down",
    theme: Annotated[
        Literal["light", "dark"], typer.Option(help="The colours, those of the page.")
    ] = "light",
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    database: Database = "",
) -> None:
    """Write a picture of a workflow, with or without the path of a run.

    SVG and PNG are written by Graphviz's program dot, else by that of graphviz-pure; PDF needs dot.
    Exit code 2 is for wrong use, 3 for what is missing or fails.
    """
    from debugger.boundary import register_process_secrets
    from debugger.exports.pictures.drawing import Drawing
    from debugger.exports.pictures.formats import PICTURES, make_picture
    from debugger.exports.pictures.themes import Theme

    with exit_codes(), ExitStack() as stack:
        name = out.suffix.removeprefix(".").lower()
        if name not in PICTURES:
            endings = ", ".join(f"*.{each}" for each in PICTURES)
            raise InputError(f"The format of {out.name!r} is not known.", advice=f"Name it {endings}.")
        if out.exists() and not force:
            raise ConflictError(f"{out} exists.", advice="Use --force to replace it.")
        if (heat or no_path) and not run:
            raise InputError("Path and heat are those of a run.", advice="Name one by --run.")
        if no_path and not heat:
            raise InputError("Without path and heat nothing of the run is left.", advice="Add --heat.")

        settings = settings_on(database)
        register_process_secrets(settings)  # a file is drawn without a backend, which would do it

        def open_backend() -> EmbeddedBackend:
            from debugger.backends import open_embedded

            return stack.enter_context(closing(open_embedded(settings)))

        is_file = is_workflow_file(workflow)
        backend = open_backend() if run or opened or not is_file else None
        record = _read_run(run, backend) if backend is not None and run else None
        document = _read_document(workflow, record, None if is_file else backend)
        graph, groups, expanded = _unfold(document, opened, backend)
        marks = _marks(record, graph, groups, expanded, heat=heat, path=not no_path) if record else None
        drawing = Drawing.of(
            graph,
            document.name,
            groups=groups,
            marks=marks,
            direction=direction,
        )
        picture = make_picture(drawing, name, Theme(theme))
        with replaced_file(out) as file:
            file.write(picture)
        nodes, edges = counted(len(drawing.shapes), "node"), counted(len(drawing.lines), "edge")
        say(f"{out}: {nodes}, {edges}, {counted(len(picture), 'byte')}.", err=True)
        if words := PICTURES[name].explain_readers(drawing, Theme(theme)):
            say(words, err=True)


def _read_run(run_id: str, backend: EmbeddedBackend) -> ExportedRun:
    from debugger.exports.sources import RunReader
    from debugger.protocol.base import check_id

    return RunReader(backend, backend.store).run(check_id("run", run_id))


def _read_document(wanted: str, run: ExportedRun | None, backend: EmbeddedBackend | None) -> Workflow:
    """Return the workflow to draw, of a file without a backend.

    Of a stored one it is the version of the run, else the active one.

    Raises:
        InputError: It cannot be read, or the run is of another workflow.
        WorkflowError: The file has no workflow.
        NotFoundError: There is no such workflow.
    """
    from debugger.graph import load_workflow

    if backend is None:
        return load_workflow(read_content(wanted))
    workflow_id = find_workflow_id(backend, wanted)
    if run is None:
        return backend.workflow(workflow_id)
    if run.run.workflow_id != workflow_id:
        raise InputError(
            f"Run {run.run.workflow_run_id} is of the workflow {run.run.workflow_id}, not of {wanted}.",
            advice="Name that workflow, or a file on which to draw the run.",
        )
    return run.workflow or backend.workflow(workflow_id)


def _unfold(
    document: Workflow, is_opened: bool, backend: EmbeddedBackend | None
) -> tuple[Graph, Sequence[Group], Graph | None]:
    """Return what is drawn, its frames, and the expanded workflow where super nodes are opened.

    They are not without a backend. Raises RunError when a super node cannot be expanded.
    """
    from debugger.graph.graph import Graph
    from debugger.graph.groups import thread_groups

    if not is_opened or backend is None:
        graph = Graph(document)
        return graph, thread_groups(graph), None
    from debugger.engine.super_nodes import expand, unfold

    expansion = expand(document, backend.workflow)
    graph, groups = unfold(document, expansion)
    threads = thread_groups(graph, [group.members[0] for group in groups])
    return graph, (*groups, *threads), Graph(expansion.workflow)


def _marks(
    run: ExportedRun,
    graph: Graph,
    groups: Sequence[Group],
    expanded: Graph | None,
    *,
    heat: bool,
    path: bool,
) -> RunMarks:
    """Return the marks of a run: its position, and if requested its path and the times of nodes."""
    from debugger.analysis.metrics import node_times
    from debugger.analysis.position import PositionTracker
    from debugger.analysis.timeline import TimelineBuilder
    from debugger.exports.pictures.run_marks import RunMarks

    position, timeline = PositionTracker(graph, expanded), TimelineBuilder(graph.names)
    for _, log in run.turns():
        position.add_turn(log)
        timeline.add_turn(log)
    times = node_times(timeline.rows, graph.nodes) if heat else None
    return RunMarks.of(position.position(run.run.status), graph, groups, times, has_path=path)
