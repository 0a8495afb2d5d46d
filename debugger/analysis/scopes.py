"""The variables of a run, as they stood after any of its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from debugger.analysis.difference import Difference, differences
from debugger.analysis.facts import field as field_of
from debugger.analysis.facts import node_name_of, node_of, text
from debugger.analysis.supplied import supplied_dynamic, supplied_runtime, supplied_state
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, reference_id
from debugger.protocol.runs import MAIN_THREAD, TurnInput, TurnLog
from debugger.protocol.states import StateSnapshot
from debugger.protocol.system_variables import SYSTEM_NAMES

_STATE_TYPE = "workflow_show_state"
_EVALUATED = "_evaluated_dynamic_variables"
_INPUT = "_input_dynamic_variables"


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
    memory = _Memory(_node_labels(turns))
    found: list[list[Difference]] = []
    for turn in turns:
        memory.begin(turn.run_input)
        before = _written(memory.scopes())
        memory.follow(turn.events)
        found.append(differences(before, _written(memory.scopes())))
    return found


def _scopes_at(turns: Sequence[TurnLog], index: int | None, labels: frozenset[str]) -> Scopes:
    memory = _Memory(labels)
    left = sum(len(turn.events) for turn in turns) if index is None else index + 1
    for turn in turns:
        if left <= 0 and index is not None:
            break
        memory.begin(turn.run_input)
        memory.follow(turn.events[: max(left, 0)])
        left -= len(turn.events)
    return memory.scopes()


def _can_change(turns: Sequence[TurnLog], index: int) -> bool:
    """Whether an event is one that shows the state, or the first of its turn."""
    left = index
    for turn in turns:
        if 0 <= left < len(turn.events):
            return left == 0 or turn.events[left].type == _STATE_TYPE
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


def _split_qualified(values: Mapping[str, Any], labels: frozenset[str]) -> tuple[JsonObject, JsonObject]:
    plain: JsonObject = {}
    qualified: JsonObject = {}
    for key, value in values.items():
        (qualified if _is_qualified(key, labels) else plain)[key] = value
    return plain, qualified


class _Memory:
    """The variables so far."""

    def __init__(self, labels: frozenset[str]) -> None:
        self._labels = labels
        self._begun = False
        self._dynamic: JsonObject = {}
        self._system: JsonObject = {}
        self._runtime: dict[str, JsonObject] = {}
        self._workflow: JsonObject = {}
        self._seeds: JsonObject = {}

    def begin(self, given: TurnInput) -> None:
        """A turn begins: what it is given stays, newer over older (``platform/engine.md`` U-37)."""
        if not self._begun:
            self._restore(supplied_state(given))
        self._dynamic = {**self._dynamic, **supplied_dynamic(given)}
        self._seeds = {**self._seeds, **supplied_runtime(given)}

    def follow(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.type == _STATE_TYPE:
                self._show(event)

    def scopes(self) -> Scopes:
        parted = {key: _split_qualified(values, self._labels) for key, values in self._runtime.items()}
        return Scopes(
            dynamic=self._dynamic,
            system=self._system,
            runtime={key: plain for key, (plain, _) in parted.items()},
            qualified={key: qualified for key, (_, qualified) in parted.items()},
            workflow=self._workflow,
            seeds=self._seeds,
        )

    def _restore(self, state: StateSnapshot) -> None:
        self._begun = True
        self._dynamic = state.dynamic_variables
        self._workflow = state.workflow_runtime_variables
        self._runtime = {
            reference_id(key) or MAIN_THREAD: thread.runtime_variables
            for key, thread in state.threads.items()
        }

    def _show(self, event: Event) -> None:
        thread = reference_id(text(event, "thread_id") or event.origin_thread_id) or MAIN_THREAD
        self._runtime[thread] = _object(field_of(event, "runtime_variables"))
        shared = _object(field_of(event, "workflow_runtime_variables"))
        self._workflow = {key: value for key, value in shared.items() if key not in (_EVALUATED, _INPUT)}
        evaluated, given = _object(shared.get(_EVALUATED)), _object(shared.get(_INPUT))
        if evaluated or given:
            self._system = {
                key: value for key, value in evaluated.items() if key in SYSTEM_NAMES and key not in given
            }
            self._dynamic = {**given, **{k: v for k, v in evaluated.items() if k not in self._system}}


def _written(scopes: Scopes) -> JsonObject:
    """What nodes and tools write, by full path."""
    found = _under("runtime", scopes.runtime.get(MAIN_THREAD, {}))
    for thread, values in scopes.runtime.items():
        if thread != MAIN_THREAD:
            found |= _under(f"thread_{thread}", values)
    return found | _under("workflow", scopes.workflow)


def _under(lead: str, values: Mapping[str, Any]) -> JsonObject:
    return {f"{lead}.{key}": value for key, value in values.items()}


def _is_qualified(key: str, labels: frozenset[str]) -> bool:
    place = key.find(".")
    while place != -1:
        if key[:place] in labels:
            return True
        place = key.find(".", place + 1)
    return False


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}
