"""The variables of a run, as they stood after any of its events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from debugger.analysis.caller_input import supplied_dynamic, supplied_runtime, supplied_state
from debugger.analysis.differences import Difference, differences, is_same, is_surely_same
from debugger.analysis.event_fields import field as field_of
from debugger.analysis.event_fields import node_name_of, node_of, text, thread_id_of
from debugger.analysis.fold import EventFold
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, reference_id
from debugger.protocol.initial_state import StateSnapshot
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow

_STATE_TYPE = "workflow_show_state"
_EVALUATED = "_evaluated_dynamic_variables"
_INPUT = "_input_dynamic_variables"
_LOOP_OUTCOME = "self_loop_outcome"


@dataclass(frozen=True)
class Scopes:
    """All variables at one moment. The values belong to the events: read them, do not change them."""

    dynamic: JsonObject = field(default_factory=dict)
    """What fills ``{{name}}``, without the system's own."""
    system: JsonObject = field(default_factory=dict)
    """What the platform adds to them: clock and random values, the same for a whole turn."""
    runtime: dict[str, JsonObject] = field(default_factory=dict)
    """What fills ``[[name]]``, by thread as people know it: ``"0"``, or the configured id of a companion."""
    qualified: dict[str, JsonObject] = field(default_factory=dict)
    """The copies of them that bear the writing node's id or name, as ``node_price.price``."""
    workflow: JsonObject = field(default_factory=dict)
    """The run-wide memory."""
    seeds: JsonObject = field(default_factory=dict)
    """Runtime variables that the run inputs brought; ``[[name]]`` sees them below all others."""


def scopes_at(turns: Sequence[TurnLog], index: int | None = None) -> Scopes:
    """The variables as they stood after an event.

    Args:
        turns: The run's turns.
        index: The event, counted over the run from 0; below 0 is before the run, ``None`` is its end.
    """
    return _scopes_at(turns, index, _node_labels(turns))


def changed_variables(turns: Sequence[TurnLog], index: int) -> list[Difference]:
    """What one event changed, the system's own variables and qualified copies left out.

    A turn's first event also tells what the caller's input changed. Paths begin with ``dynamic``,
    ``workflow``, ``runtime`` (the main thread) or ``thread_<id>``.

    Args:
        turns: The run's turns.
        index: The event, counted over the run from 0.
    """
    if not _can_change(turns, index):
        return []
    labels = _node_labels(turns)
    before, after = _scopes_at(turns, index - 1, labels), _scopes_at(turns, index, labels)
    return differences(
        {**_under("dynamic", before.dynamic), **_written(before)},
        {**_under("dynamic", after.dynamic), **_written(after)},
    )


def changes_by_turn(turns: Sequence[TurnLog]) -> list[list[Difference]]:
    """What each turn wrote, turn by turn: runtime variables of all threads, and the workflow's.

    What a caller sent is not among it, nor are qualified copies. Paths are those of `changed_variables`.
    """
    memory, labels = VariableTracker(), _node_labels(turns)
    found: list[list[Difference]] = []
    for turn in turns:
        memory.begin(turn.run_input)
        before = _written(memory.scopes(labels))
        memory.follow(turn.events)
        found.append(differences(before, _written(memory.scopes(labels))))
    return found


def _scopes_at(turns: Sequence[TurnLog], index: int | None, labels: frozenset[str]) -> Scopes:
    memory = VariableTracker()
    left = sum(len(turn.events) for turn in turns) if index is None else index + 1
    for turn in turns:
        if left <= 0 and index is not None:
            break
        memory.begin(turn.run_input)
        memory.follow(turn.events[: max(left, 0)])
        left -= len(turn.events)
    return memory.scopes(labels)


def _can_change(turns: Sequence[TurnLog], index: int) -> bool:
    """Whether an event is one that may change variables, or the first of its turn."""
    left = index
    for turn in turns:
        if 0 <= left < len(turn.events):
            return left == 0 or turn.events[left].type in _CHANGES
        left -= len(turn.events)
    return False


def _node_labels(turns: Iterable[TurnLog]) -> frozenset[str]:
    """Ids and names of every node that has run: what a qualified copy can begin with."""
    found: set[str | None] = set()
    for turn in turns:
        for event in turn.events:
            if event.type == "end_node_run":
                found |= {node_of(event), node_name_of(event)}
    return frozenset(label for label in found if label)


def _split_qualified(values: Mapping[str, Any], labels: Container[str]) -> tuple[JsonObject, JsonObject]:
    plain: JsonObject = {}
    qualified: JsonObject = {}
    for key, value in values.items():
        (qualified if _is_qualified(key, labels) else plain)[key] = value
    return plain, qualified


class VariableTracker:
    """The variables so far, followed from event to event. What was given out is never changed afterwards."""

    def __init__(self) -> None:
        self._begun = False
        self.dynamic: JsonObject = {}
        self.system: JsonObject = {}
        self.runtime: dict[str, JsonObject] = {}
        """By thread as people know it, qualified copies among them."""
        self.workflow: JsonObject = {}
        self.seeds: JsonObject = {}
        self._ended: set[str] = set()
        self._shared: JsonObject | None = None
        """What was shown last of what all threads share: mostly the same is shown next."""

    def copy(self) -> VariableTracker:
        """Another one that stands here, to go on by itself."""
        other = copy(self)
        other._ended = self._ended.copy()
        return other

    def begin(self, given: TurnInput) -> None:
        """A turn begins: what it is given stays, newer over older (``platform/engine.md`` U-37)."""
        if not self._begun:
            self._restore(supplied_state(given))
        self._shared = None
        self.dynamic = {**self.dynamic, **supplied_dynamic(given)}
        self.seeds = {**self.seeds, **supplied_runtime(given)}

    def follow(self, events: Iterable[Event]) -> None:
        """Take in what happened next."""
        for event in events:
            self.take(event)

    def take(self, event: Event) -> bool:
        """Take in one event; whether it may have changed a variable."""
        change = _CHANGES.get(event.type)
        return change is not None and change(self, event)

    def scopes(self, labels: Container[str]) -> Scopes:
        """All variables as they stand.

        Args:
            labels: Ids and names of the nodes that have run: what a qualified copy begins with.
        """
        parted = {key: _split_qualified(values, labels) for key, values in self.runtime.items()}
        return Scopes(
            dynamic=self.dynamic,
            system=self.system,
            runtime={key: plain for key, (plain, _) in parted.items()},
            qualified={key: qualified for key, (_, qualified) in parted.items()},
            workflow=self.workflow,
            seeds=self.seeds,
        )

    def _restore(self, state: StateSnapshot) -> None:
        self._begun = True
        self.dynamic = state.dynamic_variables
        self.workflow = state.workflow_runtime_variables
        self.runtime = {
            reference_id(key) or MAIN_THREAD: thread.runtime_variables
            for key, thread in state.threads.items()
        }

    def _show(self, event: Event) -> bool:
        thread, variables = _thread_of(event), _object(field_of(event, "runtime_variables"))
        self.runtime = {**self.runtime, thread: _kept(self.runtime.get(thread, {}), variables)}
        shared = _object(field_of(event, "workflow_runtime_variables"))
        if self._shared is None or not is_surely_same(self._shared, shared):
            self._shared = shared
            self._show_shared(shared)
        return True

    def _show_shared(self, shared: JsonObject) -> None:
        own = {key: value for key, value in shared.items() if key not in (_EVALUATED, _INPUT)}
        self.workflow = _kept(self.workflow, own)
        evaluated, given = _object(shared.get(_EVALUATED)), _object(shared.get(_INPUT))
        if evaluated or given:
            system = {
                key: value for key, value in evaluated.items() if key in SYSTEM_NAMES and key not in given
            }
            dynamic = {**given, **{key: value for key, value in evaluated.items() if key not in system}}
            self.system, self.dynamic = _kept(self.system, system), _kept(self.dynamic, dynamic)

    def _give_up(self, event: Event) -> bool:
        """A bounded loop ends: why is a variable, which no state event shows before the way out is chosen."""
        outcome, thread = text(event, "outcome"), _thread_of(event)
        if outcome is not None:
            own = {**self.runtime.get(thread, {}), _LOOP_OUTCOME: outcome}
            self.runtime = {**self.runtime, thread: own}
        return outcome is not None

    def _end(self, event: Event) -> bool:
        self._ended.add(_thread_of(event))
        return False

    def _fork(self, event: Event) -> bool:
        """Of an ended companion thread nothing is left where another takes its id (``engine.md`` 3.5)."""
        thread = _thread_of(event)
        if thread == MAIN_THREAD or thread not in self._ended:
            return False
        self._ended.discard(thread)
        self.runtime = {**self.runtime, thread: {}}
        return True


_CHANGES: dict[str, Callable[[VariableTracker, Event], bool]] = {
    _STATE_TYPE: VariableTracker._show,
    "self_loop_exhausted": VariableTracker._give_up,
    "end_thread": VariableTracker._end,
    "companion_edge": VariableTracker._fork,
}


def _kept(old: JsonObject, new: JsonObject) -> JsonObject:
    """The new variables with the old objects wherever they hold the same: thousands of moments share them."""
    if is_surely_same(old, new):
        return old
    kept, is_old = new.copy(), len(old) == len(new)
    for key, value in new.items():
        if key in old and is_same(old[key], value):
            kept[key] = old[key]
        else:
            is_old = False
    return old if is_old else kept


def _thread_of(event: Event) -> str:
    return reference_id(text(event, "thread_id") or thread_id_of(event)) or MAIN_THREAD


def _written(scopes: Scopes) -> JsonObject:
    """What nodes and tools write, by full path."""
    found = _under("runtime", scopes.runtime.get(MAIN_THREAD, {}))
    for thread, values in scopes.runtime.items():
        if thread != MAIN_THREAD:
            found |= _under(f"thread_{thread}", values)
    return found | _under("workflow", scopes.workflow)


def _under(lead: str, values: Mapping[str, Any]) -> JsonObject:
    return {f"{lead}.{key}": value for key, value in values.items()}


def _is_qualified(key: str, labels: Container[str]) -> bool:
    place = key.find(".")
    while place != -1:
        if key[:place] in labels:
            return True
        place = key.find(".", place + 1)
    return False


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


_NO_WORKFLOW = Workflow()


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class Snapshot:
    """The variables from one event on. The values belong to the events: read them, do not change them."""

    number: int
    """Counts the run's moments from 0."""
    index: int
    """The event after which they stand so, counted over the run from 0; for what a turn was given its first
    event, which may make a later moment."""
    turn_number: int
    dynamic: JsonObject = field(default_factory=dict)
    system: JsonObject = field(default_factory=dict)
    runtime: Mapping[str, JsonObject] = field(default_factory=dict)
    """By thread as people know it, qualified copies among them."""
    workflow: JsonObject = field(default_factory=dict)
    seeds: JsonObject = field(default_factory=dict)

    def scope(self, thread: str = MAIN_THREAD, workflow: Workflow = _NO_WORKFLOW) -> Scope:
        """Where conditions and placeholders of a thread are looked up (``platform/engine.md`` 5.2).

        Args:
            thread: The thread as people know it.
            workflow: What the run runs; it has values for variables that nobody gave.
        """
        defaults = {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}
        return Scope(
            dynamic={**self.system, **defaults, **self.dynamic},
            runtime=self.runtime.get(thread, {}),
            workflow={**workflow.runtime_variables, **self.seeds, **self.workflow},
            threads=self.runtime,
        )

    def by_scope(self) -> dict[str, JsonObject]:
        """The variables by what their paths begin with: ``runtime``, ``thread_<id>``, and so on."""
        threads = {
            "runtime" if thread == MAIN_THREAD else f"thread_{thread}": values
            for thread, values in self.runtime.items()
        }
        own = {"workflow": self.workflow, "dynamic": self.dynamic, "input": self.seeds, "system": self.system}
        return {**threads, **own}


EMPTY_SNAPSHOT = Snapshot(-1, -1, 0)
"""Before the run began there were no variables."""


class Snapshots(EventFold):
    """The moments of one run, as far as it has come."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Go back to the beginning."""
        self.all: list[Snapshot] = []
        self._indexes: list[int] = []
        self._memory = VariableTracker()
        self._labels: set[str] = set()

    def copy(self) -> Snapshots:
        """Another one that stands here, to go on by itself."""
        other = copy(self)
        other.all, other._indexes, other._labels = self.all.copy(), self._indexes.copy(), self._labels.copy()
        other._memory = self._memory.copy()
        return other

    def begin(self, turn: TurnLog, place: int) -> None:
        """Take in what a turn is given; background work is given nothing."""
        if place == 0 or not turn.is_background:
            self._memory.begin(turn.run_input)
            self._keep(self.count, turn.number)

    def take(self, event: Event, index: int, turn: TurnLog) -> None:
        """Take in an event."""
        if event.type == "end_node_run":
            self._learn(node_of(event))
            self._learn(node_name_of(event))
        elif self._memory.take(event):
            self._keep(index, turn.number)

    def at(self, index: int | None) -> Snapshot:
        """The variables after an event, counted over the run from 0; ``None`` is the run's end."""
        if index is None:
            return self.all[-1] if self.all else EMPTY_SNAPSHOT
        place = bisect_right(self._indexes, index)
        return self.all[place - 1] if place else EMPTY_SNAPSHOT

    def is_copy(self, name: str) -> bool:
        """Whether a variable is a copy that bears the id or the name of the node that wrote it."""
        return "." in name and any(name.startswith(f"{label}.") for label in self._labels)

    def scopes(self, index: int | None) -> Scopes:
        """The variables after an event, with the qualified copies apart."""
        moment = self.at(index)
        memory = VariableTracker()
        memory.dynamic, memory.system, memory.runtime = moment.dynamic, moment.system, dict(moment.runtime)
        memory.workflow, memory.seeds = moment.workflow, moment.seeds
        return memory.scopes(self._labels)

    def _learn(self, label: str | None) -> None:
        if label:
            self._labels.add(label)

    def _keep(self, index: int, turn_number: int) -> None:
        own = self._memory
        self.all.append(
            Snapshot(
                len(self.all),
                index,
                turn_number,
                own.dynamic,
                own.system,
                own.runtime,
                own.workflow,
                own.seeds,
            )
        )
        self._indexes.append(index)


def recorded_scope(turns: Sequence[TurnLog], index: int | None = None, thread: str = MAIN_THREAD) -> Scope:
    """The variables of a thread as they stood after an event.

    Args:
        turns: The run's turns.
        index: The event, counted over the run from 0; ``None`` is its end.
        thread: The thread as people know it.
    """
    found = scopes_at(turns, index)
    threads = {name: {**found.qualified.get(name, {}), **own} for name, own in found.runtime.items()}
    return Scope(
        dynamic={**found.system, **found.dynamic},
        runtime=threads.get(thread, {}),
        workflow={**found.seeds, **found.workflow},
        threads=threads,
    )
