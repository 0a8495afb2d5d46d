"""A fork under preparation: edits, differences and inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from debugger.analysis.caller_input import (
    default_variables,
    original_inputs,
    supplied_dynamic,
    supplied_state,
)
from debugger.analysis.differences import Difference, differences, is_same
from debugger.analysis.thread_positions import ThreadPositions
from debugger.analysis.variables import Scopes, scopes_at
from debugger.errors import InputError, InputJsonError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD, ForkMode, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from debugger.session.json_input import parse_object, to_json
from debugger.session.run_input import with_message
from debugger.session.variable_rows import PendingEdits, VariableScope, rows_from, value_of

DYNAMIC, RUNTIME, WORKFLOW = VariableScope("dynamic"), VariableScope("runtime"), VariableScope("workflow")


@dataclass(frozen=True)
class ForkPoint:
    """A turn of a run, and the state right before it."""

    run_id: str
    workflow_id: str
    workflow: Workflow
    """The version that ran."""
    version_number: int | None
    turns: tuple[TurnLog, ...]
    """All turns of the run."""
    number: int
    """The turn, from 1."""

    @cached_property
    def original(self) -> TurnLog:
        """The turn as it is recorded.

        Raises:
            NotFoundError: The run has no such turn.
        """
        for turn in self.turns:
            if turn.number == self.number and not turn.is_background:
                return turn
        raise NotFoundError(
            f"Run {self.run_id} has no turn {self.number}.", advice="Choose one of its turns."
        )

    @cached_property
    def past(self) -> list[TurnLog]:
        """The turns before it, with the background work between them."""
        return [turn for turn in self.turns if turn.number < self.number]

    @cached_property
    def inputs(self) -> list[TurnInput]:
        """Return the original inputs of all turns up to this one."""
        return original_inputs([turn for turn in self.turns if turn.number <= self.number], self.workflow)

    @cached_property
    def main_node(self) -> str:
        """Return the id of the node at which the main thread begins the turn; empty where it is not known.

        Raises:
            NotFoundError: It is the first turn of a run without turns; see `original`.
        """
        if not self.past:
            turn_input = self.original.run_input
            start = supplied_state(turn_input).threads.get(MAIN_THREAD)
            wanted = turn_input.start_node_logical_id or (start.node_logical_id if start else None)
            return wanted or next(
                (node.logical_id for node in self.workflow.node_configs if node.is_start), ""
            )
        main = ThreadPositions.after(self.past).main
        return main.next_node or main.node or ""

    @cached_property
    def scopes(self) -> Scopes:
        """Return the variables before the turn, and those that it brought.

        Before a first turn these are the workflow's defaults and the initial state of its input.
        """
        brought = supplied_dynamic(self.inputs[-1])
        if self.past:
            found = scopes_at(self.past)
            return replace(found, dynamic={**found.dynamic, **brought})
        state = supplied_state(self.original.run_input)
        main = state.threads.get(MAIN_THREAD)
        return Scopes(
            dynamic={**default_variables(self.workflow), **state.dynamic_variables, **brought},
            runtime={MAIN_THREAD: dict(main.runtime_variables) if main else {}},
            workflow=dict(state.workflow_runtime_variables),
        )


@dataclass
class ForkDraft:
    """The fork that the user prepares."""

    point: ForkPoint
    variables: PendingEdits
    message: str
    way: ForkMode = "exact"
    start_node: str = ""
    """The node where the main thread begins; empty leaves it unchanged."""
    version_number: int | None = None
    """``None`` is the version of the run."""
    note: str = ""
    by: str = ""
    """Who forks."""
    is_answered_by_user: bool = False
    """Whether the user answers for a model that the built-in rules answered for."""
    texts: dict[VariableScope, str] = field(default_factory=dict)
    """What was typed as JSON and cannot be used, by tier."""
    _text_errors: dict[VariableScope, InputJsonError] = field(default_factory=dict)

    @classmethod
    def of(cls, point: ForkPoint, way: ForkMode = "exact") -> ForkDraft:
        """Return a draft of a fork in which nothing is changed yet.

        Workflow variables whose names begin with ``_`` are not shown.

        Raises:
            NotFoundError: The run has no such turn.
        """
        scopes = point.scopes
        shown = {
            DYNAMIC: dict(scopes.dynamic),
            RUNTIME: dict(scopes.runtime.get(MAIN_THREAD, {})),
            WORKFLOW: {name: value for name, value in scopes.workflow.items() if not name.startswith("_")},
        }
        return cls(point, PendingEdits(shown), point.original.message, way)

    @property
    def differences(self) -> list[Difference]:
        """Return the differences to the original turn, path by path; those of variables are last."""
        before = {
            "message": self.point.original.message,
            "start node": self.point.main_node,
            "version": self.point.version_number,
        }
        after = {
            "message": self.message,
            "start node": self.start_node or self.point.main_node,
            "version": self.point.version_number if self.version_number is None else self.version_number,
        }
        if self.is_answered_by_user:
            before, after = {**before, "model": "built-in rules"}, {**after, "model": "user"}
        return [*differences(before, after), *self.variables.differences]

    @property
    def is_edited(self) -> bool:
        """Return whether anything is changed."""
        return bool(self.differences)

    @property
    def problems(self) -> list[str]:
        """Return the reasons why the draft cannot be run, one sentence each; empty if it can."""
        found = [*self.variables.problems, *(error.message for error in self._text_errors.values())]
        if self.way == "replayed":
            if self.start_node and self.start_node != self.point.main_node:
                found.append("With turns 1 to n run again, this turn cannot start at another node.")
            if any(edit.scope != "dynamic" or edit.is_removal for edit in self.variables.edits):
                found.append(
                    "With turns 1 to n run again, only dynamic variables can be set: they go with the turn."
                )
        return found

    def inputs(self) -> list[TurnInput]:
        """Return the inputs to send, in order.

        The turn itself is last, and alone unless all turns are run again. Variables that were edited are
        taken out of the inputs' own; in an exact fork they are set in the state.

        Raises:
            InputError: It cannot be run like this.
        """
        if self.problems:
            raise InputError(self.problems[0], advice="Correct it, or fork in another way.")
        if self.way == "rebuilt":
            return [self._with_message(self._without_edited(self._rebuilt()))]
        *earlier, turn_input = self.point.inputs
        variables = turn_input.dynamic_variables
        if self.way == "replayed":
            variables = {**variables, **{edit.name: edit.value for edit in self.variables.edits}}
        else:
            # Those that are edited are set in the state.
            edited = self._edited("dynamic")
            variables = {name: value for name, value in variables.items() if name not in edited}
        changed = self._without_edited({**turn_input.to_wire(), "dynamic_variables": variables})
        last = self._with_message(changed)
        return [*earlier, last] if self.way == "replayed" else [last]

    def text(self, tier: VariableScope) -> str:
        """Return the variables of a scope as JSON, or the unusable draft."""
        if tier in self.texts:
            return self.texts[tier]
        return to_json({row.name: value_of(row) for row in self.variables.rows(tier)})

    def set_text(self, tier: VariableScope, text: str) -> None:
        """Take over a scope's variables from JSON; keep an unusable text, and report it in `problems`."""
        try:
            rows = rows_from(parse_object(text, what=f"The JSON of the {tier.scope} variables"))
        except InputJsonError as error:
            self.texts[tier], self._text_errors[tier] = text, error
            return
        self.texts.pop(tier, None)
        self._text_errors.pop(tier, None)
        self.variables.set_rows(tier, rows)

    def unedited(self) -> ForkDraft:
        """Return the same draft with nothing changed."""
        return ForkDraft.of(self.point, self.way)

    def _rebuilt(self) -> JsonObject:
        """Return the JSON of a first turn in this turn's place, with its edited variables.

        It starts at the node of the turn; the messages of earlier turns are lost.
        """
        turn_input, edited = self.point.inputs[-1], self._edited("runtime")
        brought = {name: each for name, each in turn_input.runtime_variables.items() if name not in edited}
        found = {tier: dict(values) for tier, values in self.variables.shown.items()}
        for edit in self.variables.edits:
            values = found[VariableScope(edit.scope, edit.thread_id)]
            values.pop(edit.name, None)
            if not edit.is_removal:
                values[edit.name] = edit.value
        defaults, edited = default_variables(self.point.workflow), self._edited("dynamic")
        own = {  # another version has its own defaults
            name: value
            for name, value in found[DYNAMIC].items()
            if name in edited or name not in defaults or not is_same(defaults[name], value)
        }
        return {
            **turn_input.to_wire(),
            "command": "start",
            "start_node_logical_id": self.start_node or self.point.main_node or None,
            "initial_state": None,
            "version_number": None,
            "dynamic_variables": own,
            "runtime_variables": {
                **self.point.scopes.seeds,
                **brought,
                **found[WORKFLOW],
                **found[RUNTIME],
            },
        }

    def _edited(self, scope: str) -> set[str]:
        return {edit.name for edit in self.variables.edits if edit.scope == scope}

    def _without_edited(self, turn_input: JsonObject) -> JsonObject:
        """Return an input whose nodes bring none of the edited variables, which theirs would replace."""
        edited = {f"{scope}_variables": self._edited(scope) for scope in ("dynamic", "runtime")}
        return _with_node_inputs(turn_input, lambda one: _without(one, edited))

    def _with_message(self, turn_input: JsonObject) -> TurnInput:
        """Return an input with the message of the draft; what else its nodes bring stays.

        An unchanged message leaves the input as it is; a blank one leaves it without messages.
        """
        if self.message != self.point.original.message:
            turn_input = _with_node_inputs(turn_input, lambda one: {**one, "messages": []})
            if self.message.strip():
                turn_input = with_message(turn_input, self.message)
        return TurnInput.from_wire(turn_input)


def _with_node_inputs(turn_input: JsonObject, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
    """Return a copy of an input in which each node's input is changed.

    Without threads it gets the main one.
    """
    threads = {
        thread_id: {**thread, "node_run_inputs": list(map(change, thread.get("node_run_inputs") or ()))}
        for thread_id, thread in (turn_input.get("thread_to_node_inputs") or {MAIN_THREAD: {}}).items()
    }
    return {**turn_input, "thread_to_node_inputs": threads}


def _without(node_input: JsonObject, names: Mapping[str, set[str]]) -> JsonObject:
    """Return a copy of a node's input without some variables, which are named by the key that holds them."""
    left = {
        key: {name: value for name, value in node_input[key].items() if name not in gone}
        for key, gone in names.items()
        if key in node_input
    }
    return {**node_input, **left}
