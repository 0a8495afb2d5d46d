"""The columns of exports: one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from debugger.analysis.paths import conditions_text, edges_text, path_text, verdicts_text
from debugger.analysis.transcript import SCHEMA_VERSION
from debugger.boundary import Kind
from debugger.errors import InputError
from debugger.exports.column_values import (
    at_end,
    changes_in_words,
    changes_of,
    checks_of,
    cost_of,
    currency_of,
    error_nodes,
    event_of,
    expected_of,
    failure_kinds,
    faulted,
    is_troubled,
    latency_of,
    match_of,
    mocked,
    node_of,
    path_of,
    rating_of,
    remarks_of,
    rubric_of,
    run_reasons,
    run_remarks,
    run_time,
    run_verdict,
    scenario_of,
    scenario_tags,
    texts_of,
    time_of,
    token_of,
    turn_reasons,
    turn_verdict,
    variable_of,
    verdict_of,
)
from debugger.exports.rows import ExportRow, Shape
from debugger.protocol.notes import Target

VARIABLE = "variable:"
"""Begins the name of a column with one variable's value after a turn that changed it."""
CHECK = "check:"
"""Begins the name of a column with the results of one check of the rubric."""
MASKED = "masked"
"""The column with the masking rules that have changed a row."""

_ALL: frozenset[Shape] = frozenset({"turn", "message", "event"})
_TALK: frozenset[Shape] = frozenset({"turn", "message"})
_TURN: frozenset[Shape] = frozenset({"turn"})
_MESSAGE: frozenset[Shape] = frozenset({"message"})
_EVENT: frozenset[Shape] = frozenset({"event"})


_KINDS = {
    Kind.ID: "run_id parent_run_id workflow_id node_id event_node_id thread event_thread",
    Kind.TIME: "started_at at verdict_at run_verdict_at",
    Kind.NUMBER: """
        schema_version fork_turn version_number duration_ms run_ms run_tokens_in run_tokens_out run_cost turn
        sequence at_ms tokens_in tokens_out cost model_calls latency_ms turn_ms event_index event_at_ms
        event_duration_ms
    """,
    Kind.FLAG: """
        is_background is_waiting_for_input is_failure star faulted role node_type final_status status_at_turn
        next_input_hint_kind error_type event_type importance verdict turn_verdict run_verdict
        scenario_outcome
    """,
    Kind.NAME: """
        workflow_name backend environment fork_fidelity run_by end_reason currency node event_node error_node
        failure_kind mocked path path_after edge_taken waits_at masked rating run_rating reviewer verdicts
        run_reviewer scenario scenario_file check:
    """,
    Kind.TEXT: """
        text user_text agent_text edge_condition edge_verdict error_message summary tags note comment
        run_comment expected match scenario_tags
    """,
    Kind.REMARKS: "checks remarks run_verdicts turn_verdicts run_remarks",
    Kind.CHANGES: "changes changed_variables",
    Kind.RECORD: "payload",
    Kind.VALUE: "variable:",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}
"""The kind of each column's values; columns that are made for a name have it by what theirs begins with."""


@dataclass(frozen=True)
class Column:
    """One column: its name in files, and how its values are read."""

    name: str
    label: str
    """For users."""
    help: str
    shapes: frozenset[Shape]
    """The shapes of rows that have it."""
    read: Callable[[ExportRow], Any]
    """Return a text, number, truth value or JSON value; ``None`` where there is none."""
    is_short: bool = False
    """Whether its texts are shortened once they are masked."""

    @property
    def kind(self) -> Kind:
        """Return what its values are, and so what is masked in them."""
        lead, colon, _ = self.name.partition(":")
        return _KIND_OF[lead + colon]


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column(
            "schema_version",
            "Schema",
            "Increases when a column changes its meaning",
            _ALL,
            lambda _: SCHEMA_VERSION,
        ),
        Column("run_id", "Run id", "The run", _ALL, attrgetter("run.run.workflow_run_id")),
        Column(
            "parent_run_id", "Parent run", "The run it was forked from", _ALL, attrgetter("run.parent_id")
        ),
        Column(
            "fork_turn",
            "Fork turn",
            "The turn that the fork begins with",
            _ALL,
            attrgetter("run.fork_turn"),
        ),
        Column(
            "fork_fidelity",
            "Fork fidelity",
            "How the fork was made, and what its control run found",
            _ALL,
            attrgetter("run.fork_fidelity"),
        ),
        Column("workflow_id", "Workflow id", "The workflow", _ALL, attrgetter("run.run.workflow_id")),
        Column("workflow_name", "Workflow", "Its name", _ALL, attrgetter("run.workflow_name")),
        Column("version_number", "Version", "Of the workflow", _ALL, attrgetter("run.run.version_number")),
        Column("backend", "Backend", "The engine that ran it", _ALL, attrgetter("run.engine")),
        Column("environment", "Environment", "Of a hosted connection", _ALL, attrgetter("run.environment")),
        Column("run_by", "Run by", "Who started the run", _ALL, lambda row: row.run.run.run_by or ""),
        Column("started_at", "Started", "ISO 8601, UTC", _ALL, lambda row: row.run.run.created_at or ""),
        Column(
            "duration_ms",
            "Run elapsed",
            "From start to last change, waiting for the user included",
            _ALL,
            attrgetter("run.duration_ms"),
        ),
        Column("final_status", "Final status", "Of the run", _ALL, attrgetter("run.run.status")),
        Column(
            "end_reason",
            "End reason",
            "What ended the run, where the record says",
            _ALL,
            lambda row: row.run.run.termination_source or "",
        ),
        Column(
            "run_tokens_in",
            "Run tokens in",
            "Of all model calls of the run",
            _ALL,
            lambda row: row.run.tokens("total_input_tokens"),
        ),
        Column(
            "run_tokens_out",
            "Run tokens out",
            "Of all model calls of the run",
            _ALL,
            lambda row: row.run.tokens("total_output_tokens"),
        ),
        Column(
            "run_cost",
            "Run cost",
            "Of all model calls of the run; empty where a model has no price",
            _ALL,
            lambda row: cost_of(row, row.run.costs),
        ),
        Column(
            "currency",
            "Currency",
            "Of the costs; empty where prices have several, which then are in each cost",
            _ALL,
            currency_of,
        ),
        Column("turn", "Turn", "Counts turns from 1", _ALL, attrgetter("log.number")),
        Column(
            "is_background",
            "Background",
            "True for what was said in background work after the turn",
            _ALL,
            attrgetter("log.is_background"),
        ),
        Column("sequence", "Sequence", "Counts the run's messages", _MESSAGE, attrgetter("message.seq")),
        Column("role", "Role", "user, agent or system", _MESSAGE, attrgetter("message.role")),
        Column("text", "Text", "What was said", _MESSAGE, attrgetter("message.text")),
        Column("user_text", "User", "What the user said", _TURN, partial(texts_of, role="user")),
        Column("agent_text", "Agent", "What the agent said", _TURN, partial(texts_of, role="agent")),
        Column("at", "Time", "ISO 8601, UTC", _ALL, time_of),
        Column("at_ms", "At", "Milliseconds since the run started", _MESSAGE, attrgetter("message.at_ms")),
        Column(
            "node_id",
            "Node id",
            "The node that speaks or listens",
            _TALK,
            partial(node_of, name="node_logical_id"),
        ),
        Column("node", "Node", "With the super nodes around it", _TALK, partial(node_of, name="node_name")),
        Column("node_type", "Node type", "Such as say_llm", _TALK, partial(node_of, name="node_type")),
        Column("thread", "Thread", "0, or a companion's id", _TALK, partial(node_of, name="thread_id")),
        Column(
            "path",
            "Path",
            "Nodes and edges of the turn, up to a message: Desk > book > Booking",
            _TALK,
            lambda row: path_of(row, path_text, "path"),
        ),
        Column(
            "path_after",
            "Path after",
            "Where the turn went after its last message",
            _MESSAGE,
            attrgetter("message.path_after"),
        ),
        Column(
            "edge_taken",
            "Edges taken",
            "Every edge on that path, in words",
            _TALK,
            lambda row: path_of(row, edges_text, "edge_taken"),
        ),
        Column(
            "edge_condition",
            "Condition",
            "The conditions of those edges",
            _TALK,
            lambda row: path_of(row, conditions_text, "edge_condition"),
        ),
        Column(
            "edge_verdict",
            "Condition verdict",
            "How each edge was decided, and why",
            _TALK,
            lambda row: path_of(row, verdicts_text, "edge_verdict"),
        ),
        Column(
            "status_at_turn",
            "Status at turn",
            "Of the run after the turn",
            _TALK,
            lambda row: at_end(row, lambda turn: turn.status) or "",
        ),
        Column(
            "is_waiting_for_input",
            "Waiting",
            "True if the run then waits for the user",
            _TALK,
            lambda row: (at_end(row, lambda turn: turn.hint.kind) or "") == "message",
        ),
        Column(
            "next_input_hint_kind",
            "Hint kind",
            "What the run expects next",
            _TALK,
            lambda row: at_end(row, lambda turn: turn.hint.kind) or "none",
        ),
        Column(
            "waits_at",
            "Waits at",
            "The node that waits",
            _TALK,
            lambda row: at_end(row, lambda turn: turn.hint.who) or "",
        ),
        Column("changes", "Changes", "Variables that the turn changed, in words", _TALK, changes_in_words),
        Column("changed_variables", "Changed variables", "The same as a JSON list", _TALK, changes_of),
        Column(
            "tokens_in", "Tokens in", "Of the turn's model calls", _TALK, partial(token_of, name="prompt")
        ),
        Column(
            "tokens_out",
            "Tokens out",
            "Of the turn's model calls",
            _TALK,
            partial(token_of, name="completion"),
        ),
        Column(
            "cost",
            "Cost",
            "Of the turn's model calls; empty where a model has no price",
            _TALK,
            lambda row: cost_of(row, token_of(row, "costs")),
        ),
        Column("model_calls", "Model calls", "Of the turn", _TALK, partial(token_of, name="calls")),
        Column("latency_ms", "Latency", "Of the model, in milliseconds", _TALK, latency_of),
        Column(
            "turn_ms",
            "Turn duration",
            "Milliseconds without pauses",
            _TALK,
            partial(token_of, name="duration_ms"),
        ),
        Column(
            "run_ms",
            "Run duration",
            "Milliseconds of the run's turns up to this one, waiting for the user not included",
            _ALL,
            run_time,
        ),
        Column(
            "error_type",
            "Error type",
            "workflow_error, node_expired or node_failure",
            _TALK,
            lambda row: at_end(row, lambda turn: turn.error_type) or "",
        ),
        Column(
            "error_message",
            "Error",
            "The error's text",
            _TALK,
            lambda row: at_end(row, lambda turn: turn.error_message) or "",
        ),
        Column(
            "failure_kind",
            "Failure kind",
            "What failed: error, model, schema, cut_reply, tool, http, connector, node, timeout, loop_limit; "
            "unknown for a warning whose cause is not known",
            _ALL,
            failure_kinds,
        ),
        Column(
            "error_node",
            "Error node",
            "The nodes that failed, in the order of their kinds",
            _ALL,
            error_nodes,
        ),
        Column("faulted", "Faulted", "True where an injected fault was applied", _ALL, faulted),
        Column(
            "mocked",
            "Mocked",
            "True if a pin, a fault, a person, a recorded answer or a simulation answered in the place of a "
            "service or model",
            _ALL,
            mocked,
        ),
        Column("event_index", "Event", "Counts the run's events from 0", _EVENT, attrgetter("event.index")),
        Column("event_type", "Event type", "Such as assistant_response", _EVENT, attrgetter("event.type")),
        Column("event_node_id", "Node id", "Of the event", _EVENT, partial(event_of, name="node_logical_id")),
        Column(
            "event_node", "Node", "With super nodes around it", _EVENT, partial(event_of, name="node_name")
        ),
        Column("event_thread", "Thread", "Of the event", _EVENT, partial(event_of, name="thread")),
        Column("event_at_ms", "At", "Since the run started", _EVENT, attrgetter("event.at_ms")),
        Column("event_duration_ms", "Duration", "Of the node run", _EVENT, attrgetter("event.duration_ms")),
        Column("importance", "Importance", "high or low", _EVENT, attrgetter("event.importance")),
        Column("is_failure", "Failure", "Of the event", _EVENT, is_troubled),
        Column("summary", "Summary", "In one line", _EVENT, attrgetter("event.summary"), is_short=True),
        Column("payload", "Payload", "The event as JSON", _EVENT, attrgetter("payload")),
        Column(MASKED, "Masked", "Rules that have masked something in the row", _ALL, lambda _: ""),
        Column(
            "tags",
            "Tags",
            "Of the run, separated by commas",
            _ALL,
            lambda row: ", ".join(row.run.notes.tags),
        ),
        Column("scenario", "Scenario", "The scenario that the run is of", _ALL, scenario_of),
        Column(
            "scenario_file",
            "Scenario file",
            "The file of that scenario",
            _ALL,
            partial(scenario_of, name="file"),
        ),
        Column(
            "scenario_tags", "Scenario tags", "Of that scenario, separated by commas", _ALL, scenario_tags
        ),
        Column(
            "scenario_outcome",
            "Scenario result",
            "passed, failed or error",
            _ALL,
            partial(scenario_of, name="outcome"),
        ),
        Column("star", "Star", "True for a run with a star", _ALL, attrgetter("run.notes.starred")),
        Column("note", "Note", "On the run", _ALL, attrgetter("run.notes.note")),
        Column("rating", "Rating", "down, up or strong_up", _TALK, rating_of),
        Column("verdict", "Verdict", "pass, fail or unsure", _TALK, partial(verdict_of, name="value")),
        Column("reviewer", "Reviewer", "Who gave it", _TALK, partial(verdict_of, name="reviewer")),
        Column("comment", "Comment", "With the verdict", _TALK, partial(verdict_of, name="comment")),
        Column(
            "verdict_at",
            "Verdict changed",
            "Lets an import detect that another user has changed the verdict since",
            _TALK,
            partial(verdict_of, name="updated_at"),
        ),
        Column(
            "checks", "Rubric", "Results of its checks, which go with the verdict on the run", _ALL, checks_of
        ),
        Column(
            "verdicts",
            "All verdicts",
            "Of every reviewer",
            _TALK,
            lambda row: row.run.review.verdicts(row.target),
        ),
        Column("turn_verdict", "Turn verdict", "On the turn as a whole", _MESSAGE, turn_verdict),
        Column(
            "run_verdict", "Run verdict", "On the run as a whole", _ALL, partial(run_verdict, name="value")
        ),
        Column("run_reviewer", "Run reviewer", "Who gave that", _ALL, partial(run_verdict, name="reviewer")),
        Column(
            "run_comment",
            "Run comment",
            "With the run's verdict",
            _ALL,
            partial(run_verdict, name="comment"),
        ),
        Column(
            "run_verdict_at",
            "Run verdict changed",
            "Lets an import detect that another user has changed that verdict since",
            _ALL,
            partial(run_verdict, name="updated_at"),
        ),
        Column("remarks", "Remarks", "Comments that were written in the debugger", _TALK, remarks_of),
        Column(
            "expected",
            "Expected",
            "What the scenario of the run expects of the turn; else empty, for what a reviewer expects",
            _TALK,
            expected_of,
        ),
        Column(
            "match",
            "Match",
            "Of the scenario's checks: pass or fail; else empty, for pass, fail or na against it",
            _TALK,
            match_of,
        ),
        Column(
            "run_verdicts",
            "All run verdicts",
            "Of every reviewer on the run as a whole, with comments, one a line",
            _ALL,
            run_reasons,
        ),
        Column(
            "turn_verdicts",
            "All turn verdicts",
            "Of every reviewer on the turn as a whole, with comments, one a line",
            _MESSAGE,
            turn_reasons,
        ),
        Column(
            "run_remarks",
            "Run remarks",
            "Comments that were written in the debugger on the run as a whole",
            _ALL,
            run_remarks,
        ),
        Column(
            "run_rating",
            "Run rating",
            "Of the run as a whole: down, up or strong_up",
            _ALL,
            lambda row: row.run.review.rating(Target()),
        ),
    )
}
"""Every column by name, in the order of the list."""


@dataclass(frozen=True)
class MadeColumns:
    """Columns that are made for a name that a user gives."""

    label: str
    """Goes before that name."""
    help: str
    shapes: frozenset[Shape]
    read: Callable[[ExportRow, str], Any]
    """Takes a row and the name."""


_MADE: dict[str, MadeColumns] = {
    VARIABLE: MadeColumns("Variable", "Its value after the turn", _TALK, variable_of),
    CHECK: MadeColumns(
        "Check",
        "Its results in the rubric: pass, fail or not_applicable, with reviewers where there are several",
        _ALL,
        lambda row, name: rubric_of(row).get(name, ""),
    ),
}
"""Such columns by the beginning of their names in files."""


def columns_of(shape: Shape) -> list[str]:
    """Return the names of the columns that a shape has."""
    return [column.name for column in COLUMNS.values() if shape in column.shapes]


def choose_columns(names: Sequence[str], shape: Shape) -> list[Column]:
    """Return columns by their names, in this order.

    Raises:
        InputError: There is no such column in rows of this shape, or none was chosen.
    """
    chosen = [_column(name, shape) for name in dict.fromkeys(names)]
    if not chosen:
        raise InputError("No column was chosen.", advice=_advice(shape))
    return chosen


def column_of(name: str) -> Column | None:
    """Return the column of a name, or one made for ``variable:NAME`` or ``check:NAME``."""
    lead, colon, wanted = name.partition(":")
    made = _MADE.get(lead + colon)
    if made is None or not wanted:
        return COLUMNS.get(name)
    label = f"{made.label} {wanted}"
    return Column(name, label, made.help, made.shapes, lambda row: made.read(row, wanted))


def _column(name: str, shape: Shape) -> Column:
    """Return the column of a name.

    Raises:
        InputError: There is no such column in rows of this shape.
    """
    column = column_of(name)
    if column is None:
        raise InputError(f"There is no column {name!r}.", advice=_advice(shape))
    if shape not in column.shapes:
        raise InputError(f"Rows of the shape {shape} have no column {name!r}.", advice=_advice(shape))
    return column


def _advice(shape: Shape) -> str:
    made = [f"{lead}NAME" for lead, each in _MADE.items() if shape in each.shapes]
    return f"Choose from {', '.join([*columns_of(shape), *made[:-1]])}, or {made[-1]}."
