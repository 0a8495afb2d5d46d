"""The moments of a run at which its variables may have changed, so that any of them is found at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field

from debugger.analysis.facts import node_name_of, node_of
from debugger.analysis.following import Following
from debugger.analysis.scopes import Memory, Scopes
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.runs import MAIN_THREAD, TurnLog
from debugger.protocol.workflow import Workflow

_NO_WORKFLOW = Workflow()


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class Moment:
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


BEFORE = Moment(-1, -1, 0)
"""Before the run began there were no variables."""


class Moments(Following):
    """The moments of one run, as far as it has come."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Go back to the beginning."""
        self.all: list[Moment] = []
        self._indexes: list[int] = []
        self._memory = Memory()
        self._labels: set[str] = set()

    def copy(self) -> Moments:
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

    def at(self, index: int | None) -> Moment:
        """The variables after an event, counted over the run from 0; ``None`` is the run's end."""
        if index is None:
            return self.all[-1] if self.all else BEFORE
        place = bisect_right(self._indexes, index)
        return self.all[place - 1] if place else BEFORE

    def is_copy(self, name: str) -> bool:
        """Whether a variable is a copy that bears the id or the name of the node that wrote it."""
        return "." in name and any(name.startswith(f"{label}.") for label in self._labels)

    def scopes(self, index: int | None) -> Scopes:
        """The variables after an event, with the qualified copies apart."""
        moment = self.at(index)
        memory = Memory()
        memory.dynamic, memory.system, memory.runtime = moment.dynamic, moment.system, dict(moment.runtime)
        memory.workflow, memory.seeds = moment.workflow, moment.seeds
        return memory.scopes(self._labels)

    def _learn(self, label: str | None) -> None:
        if label:
            self._labels.add(label)

    def _keep(self, index: int, turn_number: int) -> None:
        own = self._memory
        self.all.append(
            Moment(
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
