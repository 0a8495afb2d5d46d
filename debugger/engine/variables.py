"""The variables of a turn: sources, precedence, writes of nodes.

Source: ``platform.md#variables``.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from struct import Struct
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from debugger.engine.environment import Environment
from debugger.engine.options import EngineOptions
from debugger.engine.state import RunState, ThreadState
from debugger.errors import InputError
from debugger.expressions.references import Scope
from debugger.protocol.base import JsonObject
from debugger.protocol.events import reference_id
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.workflow import NodeConfig, Workflow

# Not as the machine's language has them, which strftime would ask for, at five times the cost.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CHANCE = Struct("<Q8L3Q")
"""A number, eight letters, a UUID in two halves, a fraction with a coin in its last bit. Each has bits
enough to spare that no value of it is noticeably likelier than another."""
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class TurnVariables:
    """The variables that one turn's texts and conditions can see.

    Evaluated once, when the turn begins: all its nodes see the same clock and the same random values.
    """

    def __init__(
        self, workflow: Workflow, state: RunState, options: EngineOptions, environment: Environment
    ) -> None:
        """Evaluate the dynamic variables: supplied ones win over defaults, and all over the system's."""
        supplied = {
            **workflow.dynamic_variables,
            **workflow.config.default_dynamic_variables,
            **state.dynamic_variables,
        }
        self.supplied: JsonObject = supplied
        """Dynamic variables before the system's own."""
        self.evaluated: JsonObject = {**system_variables(environment, options.time_zone), **supplied}
        """All dynamic variables; a supplied one wins over the system's of the same name (U-36)."""
        seeds = {**workflow.runtime_variables, **state.runtime_seeds}
        self._memory = ChainMap(state.workflow_variables, seeds)
        self._threads = _ThreadVariables(state, seeds)
        self._state = state
        self._options = options
        self._scopes: dict[str, Scope] = {}

    @property
    def shown(self) -> JsonObject:
        """The workflow's variables as the state event shows them at this moment."""
        return {
            "_evaluated_dynamic_variables": self.evaluated,
            "_input_dynamic_variables": self.supplied,
            **self._state.workflow_variables,
        }

    def scope(self, thread: ThreadState) -> Scope:
        """Return the variables that a thread can see; the same object each time.

        The result follows later writes, in threads and in the run-wide memory.
        """
        found = self._scopes.get(thread.thread_id)
        if found is None:
            found = self._scopes[thread.thread_id] = Scope(
                dynamic=self.evaluated,
                runtime=thread.runtime_variables,
                workflow=self._memory,
                threads=self._threads,
                dict_paths=self._options.dict_paths,
            )
        return found

    def forget(self, thread_id: str) -> None:
        """Read a thread's variables again: another thread has taken its id."""
        self._scopes.pop(thread_id, None)

    def take(self, edit: VariableEdit) -> None:
        """Apply an edit of a dynamic variable.

        Events that were made before do not change.
        """
        self.supplied = with_edit(self.supplied, edit)
        self.evaluated = with_edit(self.evaluated, edit)
        for scope in self._scopes.values():
            scope.dynamic = self.evaluated


def authored_scope(workflow: Workflow, options: EngineOptions) -> Scope:
    """Return the variables with the workflow's own values, super nodes included.

    What a caller, a model, a tool or the clock sets is not among them, so a text filled from it is the
    author's own.
    """
    return Scope(
        dynamic={**workflow.dynamic_variables, **workflow.config.default_dynamic_variables},
        workflow=workflow.runtime_variables,
        dict_paths=options.dict_paths,
    )


@dataclass(eq=False)
class _ThreadVariables(Mapping[str, Mapping[str, Any]]):
    """The runtime variables of every thread by its reference id.

    Seeds of the run input and of the document are the main thread's (``platform.md#variable-precedence``).
    """

    state: RunState
    seeds: JsonObject

    def __getitem__(self, thread_id: str) -> Mapping[str, Any]:
        for thread in self.state.threads.values():
            if reference_id(thread.thread_id) == thread_id:
                own = thread.runtime_variables
                return own if thread.is_companion else ChainMap(own, self.seeds)
        raise KeyError(thread_id)

    def __iter__(self) -> Iterator[str]:
        return (str(reference_id(thread_id)) for thread_id in self.state.threads)

    def __len__(self) -> int:
        return len(self.state.threads)


def write(
    thread: ThreadState, node: NodeConfig, values: Mapping[str, Any], *, into: JsonObject | None = None
) -> None:
    """Set variables, each also under its node's id and name.

    For example ``node_price.price``.

    Args:
        thread: Its runtime variables get the copies under the node's id and name.
        node: The node that writes.
        values: The variables.
        into: Gets the variables themselves, such as the run-wide memory; the thread where it is ``None``.
    """
    for name, value in values.items():
        (thread.runtime_variables if into is None else into)[name] = value
        thread.runtime_variables[f"{node.logical_id}.{name}"] = value
        if node.name:
            thread.runtime_variables[f"{node.name}.{name}"] = value


def system_variables(environment: Environment, time_zone: str) -> JsonObject:
    """Return clock and random values as dynamic variables (``platform.md#system-variables``).

    Args:
        environment: Gives the time and the random bytes, of which it draws once.
        time_zone: The name of the zone of dates and times of day, as ``Europe/Berlin``.
    """
    epoch = environment.now()
    second, micro = divmod(round(epoch * 1_000_000), 1_000_000)
    calendar = _calendar(second, time_zone)
    number, *letters, high, low, fraction = _CHANCE.unpack_from(environment.draw())
    return {
        **calendar,
        "iso_datetime": f"{calendar['iso_datetime']}.{micro:06}",
        "timestamp": int(epoch),
        "timestamp_ms": int(epoch * 1000),
        "rand_int": 100_000 + number % 900_000,
        "rand_str": "".join([_ALPHANUMERIC[letter % len(_ALPHANUMERIC)] for letter in letters]),
        "rand_float": (fraction >> 11) / 2**53,
        "rand_uuid": str(UUID(int=high << 64 | low, version=4)),
        "rand_bool": fraction & 1 == 1,
    }


@lru_cache(maxsize=16)  # turns of the same second share it
def _calendar(second: int, time_zone: str) -> JsonObject:
    """Return the English variables of clock and calendar of one second since the epoch, in a time zone."""
    moment = datetime.fromtimestamp(second, ZoneInfo(time_zone))
    month, hour, minute = _MONTHS[moment.month - 1], f"{moment.hour % 12 or 12:02}", f"{moment.minute:02}"
    date = f"{month} {moment.day}, {moment.year}"
    clock = f"{hour}:{minute} {'AM' if moment.hour < 12 else 'PM'}"
    return {
        "now": f"{date} {clock}",
        "date": date,
        "time": clock,
        "year": moment.year,
        "month": month,
        "day": moment.day,
        "hour": hour,
        "minute": minute,
        "iso_datetime": moment.replace(tzinfo=None).isoformat(),
        "day_of_week": _WEEKDAYS[moment.weekday()],
    }


EditedScope = Literal["dynamic", "runtime", "workflow"]


@dataclass(frozen=True)
class VariableEdit:
    """A variable's new value, or its removal."""

    scope: EditedScope
    """Fills ``{{name}}``; or ``[[name]]`` in one thread; or ``[[name]]`` in all threads that have none."""
    name: str
    value: Any = None
    """Any JSON value."""
    is_removal: bool = False
    """Whether the variable is taken away instead."""
    thread_id: str = MAIN_THREAD
    """The thread of a runtime variable."""

    def describe(self, before: Mapping[str, Any]) -> JsonObject:
        """Return the edit as an event reports it, with the value before and after, where there is one.

        Args:
            before: The variables of its scope before it.
        """
        found: JsonObject = {"scope": self.scope, "name": self.name}
        if self.scope == "runtime":
            found["thread_id"] = self.thread_id
        if self.name in before:
            found["before"] = before[self.name]
        return found if self.is_removal else {**found, "after": self.value}


def with_edit(variables: Mapping[str, Any], edit: VariableEdit) -> JsonObject:
    """Return a copy of a scope's variables with an edit applied.

    Events refer to the old variables.
    """
    rest = {name: value for name, value in variables.items() if name != edit.name or not edit.is_removal}
    return rest if edit.is_removal else {**rest, edit.name: edit.value}


def apply_edit(edit: VariableEdit, state: RunState) -> JsonObject:
    """Change a variable in a state; return the edit with the value before and after, as an event reports it.

    The removal of a variable that is not there changes nothing.

    Raises:
        InputError: The name is empty, or there is no such thread.
    """
    variables = variables_of(edit, state)
    changes = edit.describe(variables)
    if edit.is_removal:
        variables.pop(edit.name, None)
    else:
        variables[edit.name] = edit.value
    return changes


def variables_of(edit: VariableEdit, state: RunState) -> JsonObject:
    """Return the state's own variables of an edit's scope, which the caller may change.

    Raises:
        InputError: The name is empty, or there is no such thread.
    """
    if not edit.name.strip():
        raise InputError("A variable without a name cannot be set.", advice="Give it a name.")
    if edit.scope == "dynamic":
        return state.dynamic_variables
    if edit.scope == "workflow":
        return state.workflow_variables
    thread = state.threads.get(edit.thread_id)
    if thread is None:
        raise InputError(
            f"The run has no thread {edit.thread_id!r}; it has {', '.join(sorted(state.threads))}.",
            advice="Choose one of these.",
        )
    return thread.runtime_variables
