"""Variables of a run after each of its events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from debugger.analysis.caller_input import (
    added_by_system,
    default_variables,
    supplied_dynamic,
    supplied_runtime,
    supplied_state,
)
from debugger.analysis.differences import Difference, differences, is_identical_json
from debugger.analysis.event_fields import EventFields, text, values_of
from debugger.analysis.fold import EventFold
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject, PlainObject
from debugger.protocol.events import reference_id
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.value_view import ValueView
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow


class _SharedVariables(ValueView):
    """The variables that all threads share, as a state event has them; the others are of the workflow."""

    _evaluated_dynamic_variables: PlainObject
    _input_dynamic_variables: PlainObject

    @property
    def evaluated(self) -> JsonObject:
        """Return the dynamic variables of the run, the system's among them."""
        return self._evaluated_dynamic_variables

    @property
    def supplied(self) -> JsonObject:
        """Return the dynamic variables of the caller."""
        return self._input_dynamic_variables

    @property
    def of_workflow(self) -> JsonObject:
        """Return the runtime variables of the workflow."""
        return {key: value for key, value in self.wire.items() if key not in type(self).__annotations__}


_LOOP_OUTCOME = "self_loop_outcome"
_NO_WORKFLOW = Workflow()


@dataclass(frozen=True)
class Scopes:
    """All variables after one event.

    The values belong to the events and must not be changed.
    """

    dynamic: JsonObject = field(default_factory=dict)
    """Values of ``{{name}}``, without the system's own."""
    system: JsonObject = field(default_factory=dict)
    """Dynamic variables that the platform adds: clock and random values, the same for a whole turn."""
    runtime: dict[str, JsonObject] = field(default_factory=dict)
    """Values of ``[[name]]`` by thread: ``"0"``, or the configured id of a companion."""
    qualified: dict[str, JsonObject] = field(default_factory=dict)
    """Their copies under the id or name of the node that wrote them, such as ``node_price.price``."""
    workflow: JsonObject = field(default_factory=dict)
    """The run-wide memory."""
    seeds: JsonObject = field(default_factory=dict)
    """Runtime variables from the run inputs; ``[[name]]`` finds them after all others."""


@dataclass(slots=True)  # not frozen: see `TimelineRow`
class Snapshot:
    """The variables from one event on.

    The values belong to the events and must not be changed.
    """

    number: int
    """Counts the run's snapshots from 0."""
    index: int
    """The index of the event after which they hold; for a turn's input that of the turn's first event, which
    may make a later snapshot."""
    turn_number: int
    dynamic: JsonObject = field(default_factory=dict)
    system: JsonObject = field(default_factory=dict)
    runtime: Mapping[str, JsonObject] = field(default_factory=dict)
    """By thread: ``"0"``, or the configured id of a companion; qualified copies among them."""
    workflow: JsonObject = field(default_factory=dict)
    seeds: JsonObject = field(default_factory=dict)

    def scope(self, thread: str = MAIN_THREAD, workflow: Workflow = _NO_WORKFLOW) -> Scope:
        """Return the scope of a thread's conditions and placeholders (``platform.md#variable-precedence``).

        Args:
            thread: ``"0"``, or the configured id of a companion.
            workflow: The workflow, for its default values.
        """
        seeds = {**workflow.runtime_variables, **self.seeds}
        return Scope(
            dynamic={**self.system, **default_variables(workflow), **self.dynamic},
            runtime=self.runtime.get(thread, {}),
            workflow={**seeds, **self.workflow},
            threads={**self.runtime, MAIN_THREAD: {**seeds, **self.runtime.get(MAIN_THREAD, {})}},
        )

    def by_scope(self) -> dict[str, JsonObject]:
        """Return the variables by the first part of their paths."""
        own = {"workflow": self.workflow, "dynamic": self.dynamic, "input": self.seeds, "system": self.system}
        return {**_by_thread(self.runtime), **own}


EMPTY_SNAPSHOT = Snapshot(-1, -1, 0)
"""The variables before the run began."""


class Snapshots(EventFold):
    """The variables of a run, with a snapshot per possible change."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """Forget all snapshots and threads, as before the first turn."""
        self.all: list[Snapshot] = []
        self._labels: set[str] = set()
        """Ids and names of the nodes that have run: the first parts of qualified copies."""
        self._ended: set[str] = set()
        """The threads that have ended."""
        self._shared: JsonObject | None = None
        """The last state that all threads share: mostly the next event repeats it."""

    def begin_turn(self, turn: TurnLog) -> None:
        """Add a snapshot with a turn's input, newer over older (U-37); background work adds none.

        The first one also has the caller's initial state.
        """
        run_input = turn.run_input
        if self.turn_index == 0:
            state = supplied_state(run_input)
            runtime = {
                reference_id(key) or MAIN_THREAD: thread.runtime_variables
                for key, thread in state.threads.items()
            }
            self._add(
                dynamic={**state.dynamic_variables, **supplied_dynamic(run_input)},
                system=added_by_system(run_input),
                runtime=runtime,
                workflow=state.workflow_runtime_variables,
                seeds=supplied_runtime(run_input),
            )
        elif not turn.is_background:
            self._shared, last = None, self.at(None)
            self._add(
                dynamic={**last.dynamic, **supplied_dynamic(run_input)},
                system=added_by_system(run_input) or last.system,
                seeds={**last.seeds, **supplied_runtime(run_input)},
            )

    def apply(self, event: EventFields) -> None:
        """Apply an event that can change variables, or name a node."""
        if event.type == "end_node_run":
            self._labels |= {label for label in (event.node, event.node_name) if label}
        else:
            _CHANGES[event.type](self, event)

    def at(self, index: int | None) -> Snapshot:
        """Return the variables after an event; ``None`` is the run's end."""
        if index is None:
            return self.all[-1] if self.all else EMPTY_SNAPSHOT
        place = bisect_right(self.all, index, key=lambda snapshot: snapshot.index)
        return self.all[place - 1] if place else EMPTY_SNAPSHOT

    def forget(self) -> None:
        """Drop all snapshots but the last."""
        del self.all[:-1]

    def is_copy(self, name: str) -> bool:
        """Return whether a variable is a copy under its node's name."""
        place = name.find(".")
        while place != -1 and name[:place] not in self._labels:
            place = name.find(".", place + 1)
        return place != -1

    def scopes(self, index: int | None) -> Scopes:
        """Return the variables after an event, with the qualified copies apart."""
        return self.split(self.at(index))

    def split(self, snapshot: Snapshot) -> Scopes:
        """Return the variables of a snapshot, with the qualified copies apart.

        The snapshot is not changed.
        """
        runtime: dict[str, JsonObject] = {}
        qualified: dict[str, JsonObject] = {}
        for thread, values in snapshot.runtime.items():
            runtime[thread], qualified[thread] = {}, {}
            for key, value in values.items():
                (qualified if self.is_copy(key) else runtime)[thread][key] = value
        return Scopes(
            snapshot.dynamic, snapshot.system, runtime, qualified, snapshot.workflow, snapshot.seeds
        )

    def _add(self, **changes: Any) -> None:
        """Add a snapshot with these changes from the last one."""
        number, turn = len(self.all), self.turn.number
        last = self.at(None)
        self.all.append(replace(last, number=number, index=self.event_count, turn_number=turn, **changes))

    def _set_runtime(self, thread: str, values: JsonObject, **changes: JsonObject) -> None:
        self._add(runtime={**self.at(None).runtime, thread: values}, **changes)

    def _apply_state(self, event: EventFields) -> None:
        """Add a snapshot with a state event's variables, of its thread and those all threads share."""
        thread, values = _thread_of(event), values_of(event.event)
        variables, shared = values.runtime_variables, values.workflow_runtime_variables
        changes = {}
        if self._shared is None or not is_identical_json(self._shared, shared):
            self._shared = shared
            changes = self._shared_changes(shared)
        self._set_runtime(thread, _reuse(self.at(None).runtime.get(thread, {}), variables), **changes)

    def _shared_changes(self, shared: JsonObject) -> dict[str, JsonObject]:
        """Return the variables that all threads share, by field of a snapshot.

        Equal objects are those of the last.
        """
        last = self.at(None)
        view = _SharedVariables(shared)
        changes = {"workflow": _reuse(last.workflow, view.of_workflow)}
        evaluated, supplied = view.evaluated, view.supplied
        if evaluated or supplied:
            system = {
                key: value for key, value in evaluated.items() if key in SYSTEM_NAMES and key not in supplied
            }
            dynamic = {**supplied, **{key: value for key, value in evaluated.items() if key not in system}}
            changes |= {"system": _reuse(last.system, system), "dynamic": _reuse(last.dynamic, dynamic)}
        return changes

    def _apply_loop_end(self, event: EventFields) -> None:
        """Set the outcome, which no state event has before the decision."""
        outcome, thread = text(event.event, "outcome"), _thread_of(event)
        if outcome is not None:
            self._set_runtime(thread, {**self.at(None).runtime.get(thread, {}), _LOOP_OUTCOME: outcome})

    def _apply_end(self, event: EventFields) -> None:
        self._ended.add(_thread_of(event))

    def _apply_start(self, event: EventFields) -> None:
        """Clear an ended companion's variables for its successor (``platform.md#companion-threads``)."""
        thread = _thread_of(event)
        if thread != MAIN_THREAD and thread in self._ended:
            self._ended.discard(thread)
            self._set_runtime(thread, {})


_CHANGES: dict[str, Callable[[Snapshots, EventFields], None]] = {
    "workflow_show_state": Snapshots._apply_state,
    "self_loop_exhausted": Snapshots._apply_loop_end,
    "end_thread": Snapshots._apply_end,
    "companion_edge": Snapshots._apply_start,
}
Snapshots.TYPES = frozenset({"end_node_run", *_CHANGES})


def scopes_at(turns: Sequence[TurnLog], index: int | None = None) -> Scopes:
    """Return the variables after an event.

    Args:
        turns: The run's turns.
        index: The event's index in the run; below 0 is before the run, ``None`` is its end.
    """
    return Snapshots().catch_up(turns).scopes(index)


def scope_at(turns: Sequence[TurnLog], thread: str, workflow: Workflow) -> Scope:
    """Return the scope of a thread's conditions after these turns."""
    return Snapshots().catch_up(turns).at(None).scope(thread, workflow)


class VariableChanges:
    """The changes of variables, turn by turn, without the past in memory.

    They are those of the runtime variables of all threads, and of the workflow's. Variables from the caller
    are left out, and so are qualified copies. Paths begin with ``workflow``, ``runtime`` (the main thread) or
    ``thread_<id>``.
    """

    def __init__(self) -> None:
        self._snapshots = Snapshots()
        self._before: Snapshot | None = None

    def add_turn(self, turn: TurnLog, events: Sequence[EventFields]) -> list[Difference]:
        """Return the changes of the next turn.

        The first turn's are those since its input. Its past is dropped.
        """
        snapshots = self._snapshots
        snapshots.add_turn(turn, events)
        before, after = self._before or snapshots.all[0], snapshots.all[-1]
        self._before = after
        snapshots.forget()
        if before is after:
            return []
        return differences(_written(snapshots.split(before)), _written(snapshots.split(after)))

    def values(self) -> JsonObject:
        """Return the variables after the last turn."""
        return _written(self._snapshots.split(self._before)) if self._before is not None else {}


def _reuse(old: JsonObject, new: JsonObject) -> JsonObject:
    """Return the new variables, sharing the old objects wherever equal."""
    if is_identical_json(old, new):
        return old
    merged, is_old = new.copy(), len(old) == len(new)
    for key, value in new.items():
        if key in old and is_identical_json(old[key], value):
            merged[key] = old[key]
        else:
            is_old = False
    return old if is_old else merged


def _thread_of(event: EventFields) -> str:
    return reference_id(text(event.event, "thread_id") or event.thread_id) or MAIN_THREAD


def _written(scopes: Scopes) -> JsonObject:
    scoped = {"runtime": {}, **_by_thread(scopes.runtime), "workflow": scopes.workflow}
    return {f"{scope}.{name}": value for scope, values in scoped.items() for name, value in values.items()}


def _by_thread(runtime: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
    return {
        "runtime" if thread == MAIN_THREAD else f"thread_{thread}": values
        for thread, values in runtime.items()
    }
