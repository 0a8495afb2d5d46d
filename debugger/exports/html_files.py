"""Runs as one page that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, BinaryIO

from jinja2 import Environment, FunctionLoader

from debugger.analysis.differences import Difference
from debugger.analysis.node_origins import author_node_id
from debugger.analysis.paths import END, PathStep, path_text, verdicts_text
from debugger.analysis.timeline import shorten
from debugger.boundary import Boundary, Kind
from debugger.exports.column_values import changes_of, rubric_words, verdict_of
from debugger.exports.file_text import text_bytes
from debugger.exports.records import ExportedRun, Remark
from debugger.exports.rows import ExportRow, export_rows
from debugger.exports.table import cell_of, register_run
from debugger.graph import Graph
from debugger.graph.layout import Layout, PlacedNode, layout
from debugger.protocol.base import JsonObject
from debugger.protocol.notes import Target

_LINE = 15.0
"""From one line of a node's name to the next."""


@dataclass(frozen=True)
class PageOptions:
    """The words around the runs of a page."""

    title: str
    made_at: str
    """ISO 8601, UTC."""
    masking_words: str
    """Whether anything is masked, in a sentence."""
    about: Callable[[], Iterable[tuple[str, Any]]] = field(default=lambda: ())
    """Names and values for the end of the page, read when all runs are written."""


def write_html(file: BinaryIO, runs: Iterable[ExportedRun], boundary: Boundary, options: PageOptions) -> None:
    """Write runs as one HTML page in UTF-8, while they are read.

    Args:
        file: It stays open.
        runs: The runs.
        boundary: Masks texts and values; it registers each run.
        options: The words around them.
    """
    style = read_resource("run_page.css")
    parts = (
        page_templates()
        .get_template("run_page.html")
        .generate(
            style=style,
            style_hash=content_hash(style),
            runs=_pages(runs, boundary),
            title=options.title,
            made_at=options.made_at,
            masking_words=options.masking_words,
            about=options.about,
        )
    )
    for part in parts:
        file.write(text_bytes(part))


@cache
def page_templates() -> Environment:
    """Return the templates of pages; ``run_article.html`` has one run."""
    # Styles are ours and hold none of the characters that are escaped.
    return Environment(autoescape=True, trim_blocks=True, loader=FunctionLoader(read_resource))


def read_resource(name: str) -> str:
    """Return a file of this package as text."""
    return files("debugger.exports").joinpath(name).read_text(encoding="utf-8").strip()


def content_hash(text: str) -> str:
    """Return the hash by which a content security policy allows a text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _pages(runs: Iterable[ExportedRun], boundary: Boundary) -> Iterator[RunPage]:
    for run in runs:
        register_run(boundary, run)
        yield RunPage(run, boundary)


class RunPage:
    """One run of a page; its turns are read while written.

    Args:
        run: The run.
        boundary: Masks texts and values, and has registered the run by `register_run`.
    """

    def __init__(self, run: ExportedRun, boundary: Boundary) -> None:
        """Begin before the first turn; nothing is read yet."""
        self._run = run
        self._boundary = boundary
        self._steps: list[PathStep] = []
        self._variables: JsonObject = {}
        self.run_id = run.run.workflow_run_id

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """Return names and values of the head, masked; those without a value are left out."""
        run = self._run.run
        found = {
            "Workflow": self._run.workflow_name or run.workflow_id,
            "Version": run.version_number,
            "Backend": " · ".join(filter(None, (self._run.engine, self._run.environment))),
            "Started (UTC)": run.created_at or "",
            "Status": run.status,
            "End reason": run.termination_source or "",
            "Forked from": self._run.parent_id,
            "Star": "★" if self._run.notes.starred else "",
            "Tags": self._release(Kind.TEXT, ", ".join(self._run.notes.tags)),
            "Note": self._release(Kind.TEXT, self._run.notes.note),
            "Rating": self._run.review.rating(Target()),
            "Verdict": self._run.review.verdicts(Target()),
            "Rubric": self._release(Kind.REMARKS, rubric_words(self._run.review.results(Target()))),
        }
        return [(name, self._release(Kind.NAME, value)) for name, value in found.items() if value != ""]

    @property
    def remarks(self) -> list[str]:
        """Return the verdicts and the comments on the run."""
        review = self._run.review
        return self._lines([*review.reasons(Target()), *review.comments(Target())])

    @property
    def turns(self) -> Iterator[Mapping[str, Any]]:
        """Yield the turns, read from the record."""
        for row in export_rows(self._run, "turn"):
            yield self._turn(row)

    def picture(self) -> PathPicture | None:
        """Return the way on the graph, once the turns are written."""
        workflow = self._run.workflow
        return PathPicture(Graph(workflow), self._steps) if workflow and workflow.node_configs else None

    def variables(self) -> list[tuple[str, Any]]:
        """Return the variables at the end, once the turns are written."""
        found = [asdict(Difference(path, None, value, "added")) for path, value in self._variables.items()]
        return [(each["path"], _shown(each["after"])) for each in self._release(Kind.CHANGES, found)]

    def _turn(self, row: ExportRow) -> Mapping[str, Any]:
        """Return what the template shows of a turn, masked.

        Its steps and variables are kept for the end of the page's run.
        """
        assert row.turn is not None
        release = self._release
        self._steps += row.turn.steps
        changes = release(Kind.CHANGES, changes_of(row) or [])
        self._variables = row.turn.variables
        took = row.tokens.duration_ms if row.tokens else None
        review = self._run.review
        return {
            "number": row.log.number,
            "is_background": row.log.is_background,
            "verdict": verdict_of(row, "value"),
            "took": "" if took is None else f"{took:,.0f} ms",
            "messages": [
                {
                    "role": each.role,
                    "who": release(
                        Kind.NAME, " · ".join(filter(None, (each.role.capitalize(), each.node_name)))
                    ),
                    "text": release(Kind.TEXT, each.text),
                    "verdict": getattr(review.verdict(Target.message(each.seq)), "value", ""),
                }
                for each in row.turn.rows
            ],
            "path": release(Kind.NAME, path_text(row.turn.steps)),
            "verdict_words": release(Kind.TEXT, verdicts_text(row.turn.steps)),
            "error": release(Kind.TEXT, row.turn.error_message),
            "problems": [
                {"label": each.trouble.label, "text": shorten(release(Kind.TEXT, each.summary))}
                for each in row.facts.problems
                if each.trouble is not None
            ],
            "changes": [
                {"path": each["path"], "before": _shown(each["before"]), "after": _shown(each["after"])}
                for each in changes
            ],
            "remarks": self._lines(_turn_remarks(row)),
        }

    def _release(self, kind: Kind, value: Any) -> Any:
        return self._boundary.release(kind, value)

    def _lines(self, remarks: Iterable[Remark]) -> list[str]:
        return [self._release(Kind.REMARKS, [each]) for each in remarks]


def _turn_remarks(row: ExportRow) -> list[Remark]:
    """Return the verdicts and comments on a turn, then those on its messages.

    The row must have its turn, else an `AssertionError` is raised.
    """
    assert row.turn is not None
    review = row.run.review
    targets = [Target.message(message.seq) for message in row.turn.rows]
    of_turn = [*review.reasons(row.target), *review.comments(row.target)]
    own = [*map(review.comments, targets), *map(review.reasons, targets)]
    return [*of_turn, *(each for found in own for each in found)]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(cell_of(value))


class PathPicture:
    """The way of a run on its graph, to be drawn as SVG.

    Transitions inside a super node count for it.

    Args:
        graph: The version that ran.
        steps: The transitions of the run in order.
    """

    def __init__(self, graph: Graph, steps: Sequence[PathStep]) -> None:
        """Lay out the graph, and count visits of nodes and places of edges in the path."""
        self.layout: Layout = layout(graph)
        self.visits: Counter[str] = Counter()
        """How often the run came to each node, or began there."""
        numbers: dict[str, list[int]] = {}
        if steps:
            self.visits[author_node_id(steps[0].source_id, graph.nodes)] = 1
        for number, step in enumerate(steps, start=1):
            if step.edge_id:
                numbers.setdefault(step.edge_id, []).append(number)
            source = author_node_id(step.source_id, graph.nodes)
            target = author_node_id(step.destination_id, graph.nodes)
            if step.destination != END and source != target:
                self.visits[target] += 1
        self.numbers = {edge: ", ".join(map(str, own)) for edge, own in numbers.items()}
        """The places in the run's path at which each edge was taken: ``2, 5``."""

    def lines(self, node: PlacedNode) -> list[tuple[str, float]]:
        """Return the lines of a node's name with their base lines."""
        last, visits = len(node.lines) - 1, self.visits[node.id]
        mark = f" ×{visits}" if visits > 1 else ""
        return [
            (f"{line}{mark}" if at == last else line, node.y + 4 + _LINE * (at - last / 2))
            for at, line in enumerate(node.lines)
        ]
