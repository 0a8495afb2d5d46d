"""Rows of the list of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeVar

from debugger.analysis.run_facts import RunSummary
from debugger.analysis.trouble import LABELS, WARNING_KINDS
from debugger.protocol.natural_order import natural_key
from debugger.protocol.notes import RunLabels
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import Run
from debugger.protocol.scenario_runs import Outcome
from debugger.store.snippets import Snippet
from debugger.views.components.markdown import count
from debugger.views.components.rows import Cell, Column, rows_list, table
from debugger.views.components.status_badges import LOOKS
from debugger.views.panels.runs.scope import ids_of, recorded_name, runs_state
from debugger.views.times import seconds_since_1970, shown_time, zone_name

Value = TypeVar("Value")

_ROW = 26
"""Pixels."""
_WORDS, _WORDS_BESIDE_TESTS = 230, 182
"""Pixels of a message: in a window of 1280 all columns up to the verdict are in sight."""
_OUTCOME_COLOURS: dict[Outcome, str] = {"passed": "green", "failed": "red", "error": "orange"}
_VERDICT_COLOURS = {"Pass": "green", "Fail": "red", "Unsure": "orange"}


@dataclass(frozen=True)
class RowFacts:
    """Everything that the rows show besides the runs themselves, by run."""

    names: Mapping[str, str]
    """Workflows by id."""
    place: str = ""
    """The backend, or the connection, that has the runs."""
    marks: Mapping[str, RunLabels] = field(default_factory=dict)
    summaries: Mapping[str, RunSummary] = field(default_factory=dict)
    verdicts: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    snippets: Mapping[str, Sequence[Snippet]] = field(default_factory=dict)
    scenarios: Mapping[str, Outcome] = field(default_factory=dict)
    """The results of those that the command `test` or a suite has made."""


def clicked_run() -> str:
    """Return the clicked run once, before the list is drawn again."""
    held = runs_state()
    clicked, held.clicked = held.clicked, ""
    return clicked


def chosen_runs(rows: Sequence[Run]) -> list[str]:
    """Return the ticked runs in the list's order; forget ticked runs that are not listed.

    Writes `listed` and `ticked` of `RunsState`; where no run is ticked, the actions are for ticked runs
    again.
    """
    held = runs_state()
    held.listed = ids_of(rows)
    held.ticked = [run_id for run_id in held.listed if run_id in held.ticked]
    if not held.ticked:
        held.scope = "ticked"
    return held.ticked


def run_table(rows: Sequence[Run], facts: RowFacts) -> None:
    """Draw the rows."""
    columns = _columns(facts)
    pairs = [(column.head, column.cell) for column in columns]
    shown = table("Runs", _sorted(rows, columns), pairs, lambda run: run.workflow_run_id)
    rows_list("runs", shown, on_choose=_click, on_use=_use, row=_ROW)


def _click(run_id: Any) -> None:
    runs_state().clicked = str(run_id or "")


def _use(ticked: Any, column: str, _: Any) -> None:
    """Take the ticked boxes, or sort by a column whose head was clicked.

    The first click on a head sorts ascending, the next descending, the third not at all. Ticked runs that are
    not listed are ignored, as is a value of the boxes that is no list.
    """
    held = runs_state()
    if column != "tick":
        by, descends = held.sort
        held.sort = ("", False) if by == column and descends else (column, by == column)
    elif isinstance(ticked, list):
        held.ticked = [run_id for run_id in held.listed if run_id in ticked]
        held.scope = "ticked"


class _RunColumn(NamedTuple):
    """A column of the list."""

    head: Column
    cell: Callable[[Run], Cell]
    number: Callable[[Run], float | None] | None
    """What its runs are sorted by; ``None`` where it is the text of the cell."""


def _sorted(rows: Sequence[Run], columns: Sequence[_RunColumn]) -> Sequence[Run]:
    """Return the rows in the chosen order, upwards or downwards; those without a value come last.

    They are as given where no column is chosen, or one that the list does not have.
    """
    sort, descends = runs_state().sort
    column = next((column for column in columns if column.head.name == sort), None)
    if column is None:
        return rows
    keyed: list[tuple[Any, Run]] = []
    for run in rows:
        value = column.number(run) if column.number else natural_key(str(column.cell(run) or "")) or None
        keyed.append((value, run))
    known = [each for each in keyed if each[0] is not None]
    known.sort(key=lambda each: each[0], reverse=descends)
    return [run for _, run in known] + [run for value, run in keyed if value is None]


def snippet_words(snippets: Sequence[Snippet]) -> str:
    """Return found words in marks, with the text around them and where they are, but for what was said.

    Snippets are separated by a dot, and white space is one space; empty without any.
    """
    parts = []
    for snippet in snippets:
        lead = "" if snippet.place == "said" else f"{snippet.place}: "
        parts.append(f"{lead}{snippet.before}«{snippet.word}»{snippet.after}")
    return " · ".join(" ".join(part.split()) for part in parts)


def verdict_words(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the different verdicts on a run as a whole, else the number of those on its parts.

    Empty without a verdict.
    """
    own = [verdict.value.capitalize() for verdict in verdicts if verdict.target.kind == "run"]
    if own:
        return list(dict.fromkeys(own))
    return [f"on {count(len(verdicts), 'part')}"] if verdicts else []


def duration_of(summary: RunSummary) -> float | None:
    """Return the milliseconds of a run's turns; ``None`` where its events have no time."""
    return None if summary.duration_ms is None else summary.working_ms


def duration_words(milliseconds: float | None) -> str:
    """Return a duration in words: ``20 ms``, ``1.5 s``, ``12 s``, from a minute in two units ``1 m 5 s``.

    Empty for ``None``.
    """
    if milliseconds is None:
        return ""
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 10_000:
        return f"{milliseconds / 1000:.1f} s"
    seconds = round(milliseconds / 1000)
    for size, unit, small, small_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // small} {small_unit}"
    return f"{seconds} s"


_PROBLEMS_HELP = "Errors and failed answers, also those that the workflow handled; warnings of unknown cause"


def _problems(summary: RunSummary) -> Cell:
    """Return how many failures and unknown warnings a run has, as a chip; ``None`` without any.

    A single kind of failure is named; failures are red, warnings alone orange.
    """
    failed = [kind for kind in summary.troubles if kind not in WARNING_KINDS]
    kind = LABELS[failed[0]].lower() if len(failed) == 1 else "failed"
    parts = [(summary.failures, kind), (summary.problems - summary.failures, "unknown")]
    words = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return (words, "red" if summary.failures else "orange") if words else None


def _parent(run: Run) -> str:
    source, index = run.source_workflow_run_id, run.checkpoint_source_turn_index
    if not source:
        return ""
    return f"…{source[-6:]}" if index is None else f"…{source[-6:]} · turn {index + 1}"


def _columns(facts: RowFacts) -> list[_RunColumn]:
    """Return the columns of the list, that of the boxes first.

    The column of found words is there with snippets alone, that of tests with scenarios. A column by which
    the list is sorted has its direction.
    """

    def labels(run: Run) -> RunLabels:
        return facts.marks.get(run.workflow_run_id, RunLabels())

    def of_summary(read: Callable[[RunSummary], Value | None]) -> Callable[[Run], Value | None]:
        """Return a reader of runs by their summaries; that of a run without one is ``None``."""

        def value(run: Run) -> Value | None:
            summary = facts.summaries.get(run.workflow_run_id)
            return read(summary) if summary else None

        return value

    def tick(run: Run) -> Cell:
        return f"Tick run {run.workflow_run_id}", run.workflow_run_id in runs_state().ticked

    def verdicts(run: Run) -> Cell:
        words = verdict_words(facts.verdicts.get(run.workflow_run_id, ()))
        return [(word, _VERDICT_COLOURS.get(word, "gray")) for word in words]

    def scenario(run: Run) -> Cell:
        outcome = facts.scenarios.get(run.workflow_run_id)
        return (f"Test {outcome}", _OUTCOME_COLOURS[outcome]) if outcome else None

    words = _WORDS_BESIDE_TESTS if facts.scenarios else _WORDS
    tested = Column("scenario", "Test", 96, "chip", help="Made by the command `test` or a suite")
    found = Column("found", "Found", 280, help="Where the search text was found")
    messages: list[_RunColumn] = [
        _RunColumn(
            Column("first", "First message", words, help="Of the user, else of the agent", grows=True),
            of_summary(lambda summary: summary.first_words),
            None,
        ),
        _RunColumn(
            Column("last", "Last message", words, help="Of the user or the agent", grows=True),
            of_summary(lambda summary: summary.last_words),
            None,
        ),
    ]
    columns: list[_RunColumn] = [
        _RunColumn(
            Column("began", "Started", 144, help=f"In the time zone {zone_name()}"),
            lambda run: shown_time(run.created_at),
            lambda run: seconds_since_1970(run.created_at),
        ),
        *(
            [_RunColumn(found, lambda run: snippet_words(facts.snippets.get(run.workflow_run_id, ())), None)]
            if facts.snippets
            else []
        ),
        *([] if facts.snippets else messages),
        _RunColumn(
            Column("turns", "Turns", 56, "number", help="Turns of the user"),
            of_summary(lambda summary: str(summary.turns)),
            of_summary(lambda summary: summary.turns),
        ),
        _RunColumn(
            Column(
                "duration",
                "Duration",
                76,
                help="Sum of its turns; the time in which the run waited for the user is left out",
            ),
            of_summary(lambda summary: duration_words(duration_of(summary))),
            of_summary(duration_of),
        ),
        _RunColumn(
            Column("problems", "Problems", 120, "chip", help=_PROBLEMS_HELP),
            of_summary(_problems),
            of_summary(lambda summary: summary.problems),
        ),
        _RunColumn(
            Column("workflow", "Workflow", 160, help="With its version"),
            lambda run: f"{facts.names.get(run.workflow_id) or recorded_name(run)} v{run.version_number}",
            None,
        ),
        *([_RunColumn(tested, scenario, None)] if facts.scenarios else []),
        _RunColumn(
            Column("status", "Status", 108, "chip"),
            lambda run: (LOOKS[run.status].word, LOOKS[run.status].colour),
            None,
        ),
        _RunColumn(
            Column("verdict", "Verdict", 84, "chip", help="Of the reviewers, on the run as a whole"),
            verdicts,
            None,
        ),
        *(messages if facts.snippets else []),  # what was found has their place
        _RunColumn(
            Column("star", "Star", 40, help="★: starred by a user"),
            lambda run: "★" if labels(run).starred else "",
            None,
        ),
        _RunColumn(
            Column("tags", "Tags", 84, "chip"), lambda run: [(tag, "gray") for tag in labels(run).tags], None
        ),
        _RunColumn(Column("note", "Note", 76), lambda run: " ".join(labels(run).note.split()), None),
        _RunColumn(Column("by", "Started by", 80), lambda run: run.run_by or "", None),
        _RunColumn(
            Column("parent", "Forked from", 88, help="The run that it was forked from"), _parent, None
        ),
        _RunColumn(
            Column("place", "Backend", 80, help="The backend, or its connection"),
            lambda run: facts.place,
            None,
        ),
        _RunColumn(Column("id", "Run id", 172), lambda run: run.workflow_run_id, None),
    ]
    sort, descends = runs_state().sort
    orders: dict[str, Literal["ascending", "descending"]] = {sort: "descending" if descends else "ascending"}
    return [
        _RunColumn(Column("tick", "Tick all runs of the page", 32, "check", rests=True), tick, None),
        *(
            column._replace(head=replace(column.head, sort=orders.get(column.head.name, "none")))
            for column in columns
        ),
    ]
