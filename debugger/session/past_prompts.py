"""The prompts of past model calls, rebuilt from the events of a run.

No event has a prompt. Where this engine asked the model, the code that made the prompt makes it again, with
the variables and the chat of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from debugger.analysis.decisions import DecisionLog
from debugger.analysis.event_fields import text, thread_id_of, values_of
from debugger.analysis.timeline import TimelineRow
from debugger.analysis.variable_history import VariableHistory
from debugger.analysis.variables import Snapshot, Snapshots
from debugger.engine.models import Prompt
from debugger.engine.models.call_parts import call_json
from debugger.engine.models.providers.configs import group_of
from debugger.engine.past_prompt import PastCall, rebuild_prompt
from debugger.engine.state import ThreadState
from debugger.errors import DebuggerError, RunError
from debugger.expressions import ABSENT, Placeholder, Scope, placeholders
from debugger.expressions.placeholders import placeholder_reader
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import COMPANION, Event, reference_id
from debugger.protocol.messages import Message, message_kind
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow

_VERDICTS = frozenset({"condition_evaluator_llm", "discarded_main_llm"})
"""Types that name a destination where a condition was judged."""
CALL_TYPES = frozenset({"say_llm", "worker_llm"}) | _VERDICTS
"""Types of the events of model calls."""
_ANSWERS = frozenset({"say_llm", "worker_llm"})


@dataclass(frozen=True)
class FilledPlaceholder:
    """A placeholder of a prompt with what filled it."""

    text: str
    """As the author wrote it."""
    value: Any
    """`ABSENT` where it stayed as written."""
    source: str
    """Where the value came from, in words."""


@dataclass(frozen=True)
class PastPrompt:
    """The prompt of a past model call, rebuilt."""

    prompt: Prompt
    placeholders: tuple[FilledPlaceholder, ...]
    notes: tuple[str, ...]
    """Possible differences from the prompt that was sent, as sentences."""
    default_llm: JsonObject | None = None

    @property
    def call(self) -> JsonObject:
        """Return the whole call as JSON, without secrets and with no more messages than its model gets."""
        try:
            members = group_of(self.prompt.llm, self.default_llm).members
            recent = members[0].truncated_max_recent_messages
        except RunError:
            recent = None
        return call_json(self.prompt, recent=recent)


def is_model_call(event: Event) -> bool:
    """Return whether an event is the answer of a model."""
    return event.type in CALL_TYPES and message_kind(values_of(event).message.wire) != "tool"


def past_prompt(
    turns: Sequence[TurnLog],
    row: TimelineRow,
    workflow: Workflow,
    snapshots: Snapshots,
    history: VariableHistory,
    log: DecisionLog,
    default_llm: JsonObject | None = None,
) -> PastPrompt:
    """Return the prompt of a model call, with the sources of its placeholders and possible differences.

    Args:
        turns: The run's turns.
        row: The event of the call.
        workflow: What ran, with its super nodes expanded.
        snapshots: The variables of the run.
        history: Their changes.
        log: The decisions of the run.
        default_llm: The configuration of the model for nodes that name none.

    Raises:
        DebuggerError: The workflow does not have the node any more, or the node cannot be read.
    """
    turn = turns[row.place]
    event = turn.events[row.position]
    thread_id = thread_id_of(event) or MAIN_THREAD
    started = _start(turn, row)
    judged = text(event, "destination_node_logical_id") if event.type in _VERDICTS else None
    is_judged = judged is not None
    # A condition may be judged after the node has run; an answer has the chat and the variables of its start.
    position = row.position if is_judged or started is None else started
    index = row.index - row.position + position
    graph = Graph(workflow)
    start = log.starts.get(row.index - row.position + started) if started is not None else None
    host = start.host if start else None
    snapshot = _with_clock(snapshots, snapshots.at(index - 1 if is_judged else index), turn, row)
    thread = reference_id(thread_id) or MAIN_THREAD
    scope = snapshot.scope(thread, workflow)
    node_id = row.node_logical_id or ""
    # A worker has the chat that the node beside it began with.
    end = position if host is None else host - row.index + row.position
    call = PastCall(
        node_id,
        ThreadState(
            thread_id,
            node_id,
            runtime_variables=dict(scope.runtime),
            return_stack=list(start.callers) if start else [],
            parent=thread_id.rpartition(COMPANION)[0] or None,
        ),
        scope,
        [*turns[: row.place], replace(turn, events=turn.events[:end])],
        messages=values_of(turn.events[started]).run_input.messages if started is not None else (),
        must_answer=bool(start and start.must_answer),
        is_beside=host is not None,
        exchange=() if is_judged or started is None else _exchange(turn, row, started),
        judged_destination=judged,
    )
    rebuilt = rebuild_prompt(call, graph)
    written = dict.fromkeys(found.text for each in rebuilt.templates for found in placeholders(each))
    sources = _Sources(snapshot, thread, workflow, history, index)
    filled = tuple(_filled(placeholders(each)[0], scope, sources) for each in written)
    return PastPrompt(rebuilt.prompt, filled, rebuilt.notes, default_llm)


def _start(turn: TurnLog, row: TimelineRow) -> int | None:
    """Return the position of the event that started the node run of a call.

    ``None`` where the turn has none.
    """
    event = turn.events[row.position]
    run_id, thread_id = values_of(event).node_run_id, thread_id_of(event)
    for position in range(row.position - 1, -1, -1):
        each = turn.events[position]
        if each.type == "start_node_run" and thread_id_of(each) == thread_id:
            values = values_of(each)
            if values.origin_node_logical_id == row.node_logical_id and values.node_run_id == run_id:
                return position
    return None


def _exchange(turn: TurnLog, row: TimelineRow, started: int) -> list[Message]:
    """Return the messages of models and tools in the node run of a call before it, in order."""
    call = turn.events[row.position]
    wanted = (thread_id_of(call), row.node_logical_id)
    between = (event for event in turn.events[started + 1 : row.position] if event.type in _ANSWERS)
    return [
        message
        for event in between
        if (thread_id_of(event), text(event, "origin_node_logical_id")) == wanted
        if (message := values_of(event).message.wire)
    ]


def _with_clock(snapshots: Snapshots, snapshot: Snapshot, turn: TurnLog, row: TimelineRow) -> Snapshot:
    """Return the variables with the system's at the first state that the turn reports.

    Unchanged without one.
    """
    first = row.index - row.position
    for position, event in enumerate(turn.events):
        if event.type == "workflow_show_state":
            return replace(snapshot, system=snapshots.at(first + position).system)
    return snapshot


@dataclass(frozen=True)
class _Sources:
    """The sources of the values of placeholders."""

    snapshot: Snapshot
    thread: str
    workflow: Workflow
    history: VariableHistory
    index: int

    def of(self, placeholder: Placeholder) -> str:
        """Return the source of a placeholder's value in words, with the turn that set it, if known."""
        name = _head(placeholder.path)
        if placeholder.namespace == "dynamic":
            return self._of_dynamic(name.removeprefix("global."))
        own = self.snapshot.runtime.get(self.thread, {})
        lead = "runtime" if self.thread == MAIN_THREAD else f"thread_{self.thread}"
        if _holds(own, placeholder.path):
            return f"Runtime{self._set(lead, name)}"
        if name.startswith("thread_"):
            return f"Runtime of thread {name.removeprefix('thread_')}"
        if _holds(self.snapshot.workflow, placeholder.path):
            return f"Workflow{self._set('workflow', name)}"
        if _holds(self.snapshot.seeds, placeholder.path):
            return "Run input"
        return "Default of the workflow"

    def _of_dynamic(self, name: str) -> str:
        """Return the source of a dynamic variable in words: workflow, turn, system or literal."""
        defaults = {**self.workflow.dynamic_variables, **self.workflow.config.default_dynamic_variables}
        if name in self.snapshot.dynamic:
            value = self.snapshot.dynamic[name]
            if name in defaults and defaults[name] == value:
                return "Default of the workflow"
            return f"Dynamic{self._set('dynamic', name)}"
        if name in defaults:
            return "Default of the workflow"
        return "System" if name in SYSTEM_NAMES else "Literal"

    def _set(self, scope: str, name: str) -> str:
        setting = self.history.last_set(scope, name, self.index)
        return "" if setting is None else f", set in turn {setting.turn_number}"


def _head(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _holds(variables: JsonObject | Any, path: str) -> bool:
    return path in variables or _head(path) in variables


def _filled(placeholder: Placeholder, scope: Scope, sources: _Sources) -> FilledPlaceholder:
    """Return a placeholder with its value and source.

    One without a value, or that cannot be read, is `ABSENT`.
    """
    try:
        value = placeholder_reader(placeholder)(scope)
    except DebuggerError:
        value = ABSENT
    source = "No value: stays as written" if value is ABSENT else sources.of(placeholder)
    return FilledPlaceholder(placeholder.text, value, source)
