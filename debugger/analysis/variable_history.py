"""Who set a variable, and to what: every change of every variable of a run, found at once."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from debugger.analysis.differences import Difference, Op, differences
from debugger.analysis.variables import EMPTY_SNAPSHOT, Snapshot, Snapshots
from debugger.errors import DebuggerError, InputError
from debugger.expressions import ABSENT, Scope, lookup, parse, placeholders
from debugger.expressions.placeholders import placeholder_reader
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

_UNTOLD = frozenset({"system", "input"})
"""Scopes that are no part of what an event changed: clock and chance, and what stands elsewhere already."""


@dataclass(frozen=True, slots=True)
class VariableChange:
    """One change of one variable."""

    index: int
    """The event that made it, counted over the run from 0."""
    turn_number: int
    op: Op
    before: Any
    after: Any


class VariableHistory:
    """The changes of the variables of one run, as far as the run has come.

    A variable is named by its scope, as ``runtime`` or ``thread_lab``, and its name in it.

    Args:
        moments: The variables of the run.
    """

    def __init__(self, moments: Snapshots) -> None:
        self._moments = moments
        self._last: Snapshot | None = None
        self._seen = 0
        self._settings: dict[tuple[str, str], list[VariableChange]] = {}

    def catch_up(self) -> VariableHistory:
        """Take in the moments that are new."""
        moments = self._moments.all
        if self._seen > len(moments) or (self._seen and moments[self._seen - 1] is not self._last):
            self._last, self._seen, self._settings = None, 0, {}
        for moment in moments[self._seen :]:
            for scope, name, op, before, after in _changes(self._last or EMPTY_SNAPSHOT, moment):
                setting = VariableChange(moment.index, moment.turn_number, op, before, after)
                self._settings.setdefault((scope, name), []).append(setting)
            self._last = moment
        self._seen = len(moments)
        return self

    def settings(self, scope: str, name: str) -> list[VariableChange]:
        """Every change of a variable, the earliest first."""
        return self._settings.get((scope, name), [])

    def last_set(self, scope: str, name: str, index: int | None) -> VariableChange | None:
        """The last change of a variable up to an event; ``None`` where there was none.

        Args:
            scope: The scope.
            name: The variable's name in it.
            index: The event, counted over the run from 0; ``None`` is the run's end.
        """
        found = self.settings(scope, name)
        place = len(found) if index is None else bisect_right(found, index, key=lambda each: each.index)
        return found[place - 1] if place else None

    def changed_at(self, index: int) -> list[Difference]:
        """What one event changed, the system's own variables and qualified copies left out.

        A turn's first event also tells what the caller's input changed. Paths begin with the scope.
        """
        before, after = self._moments.at(index - 1), self._moments.at(index)
        return [] if before is after else self._between(before, after)

    def changed_between(self, first: int, last: int) -> list[Difference]:
        """What the events after the first of two have changed, up to the last one."""
        return self._between(self._moments.at(first), self._moments.at(last))

    def _between(self, before: Snapshot, after: Snapshot) -> list[Difference]:
        return differences(self._told(before), self._told(after))

    def _told(self, moment: Snapshot) -> JsonObject:
        return {
            f"{scope}.{name}": value
            for scope, values in moment.by_scope().items()
            if scope not in _UNTOLD
            for name, value in values.items()
            if not self._moments.is_copy(name)
        }


def _changes(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str, Op, Any, Any]]:
    old_scopes = before.by_scope()
    for scope, new in after.by_scope().items():
        old = old_scopes.get(scope, {})
        if old is new:
            continue
        for name, value in new.items():
            if name not in old:
                yield scope, name, "added", None, value
            elif old[name] is not value and (old[name] != value or type(old[name]) is not type(value)):
                yield scope, name, "changed", old[name], value
        for name in old.keys() - new.keys():
            yield scope, name, "removed", old[name], None


_SCOPED = re.compile(r"(?P<scope>runtime|workflow|dynamic|input|system|thread_[^.\[\]\s]+)\.(?P<path>\S.*)")
_NAME = re.compile(r"[^\s\[\]{}()<>=!&|'\"]+(\[\d+\][^\s\[\]{}()<>=!&|'\"]*)*")
_LONGEST: Final = 500

_Read = Callable[[Snapshot, Workflow], Any]


@dataclass(frozen=True)
class Watch:
    """Something that has a value at each moment of a run."""

    text: str
    """As the person wrote it."""
    is_condition: bool
    read: _Read
    """Its value at a moment; `ABSENT` where it has none. Raises `DebuggerError` where it cannot be had."""


@dataclass(frozen=True, slots=True)
class Point:
    """A value that a watch took on."""

    index: int
    """The event from which on it had it, counted over the run from 0."""
    turn_number: int
    value: Any
    """`ABSENT` where there was none."""
    problem: str = ""
    """Why there was none, where something was wrong."""


def read_watch(text: str) -> Watch:
    """Read what a person wants to watch.

    It is a path as the inspector shows it (``runtime.slot``, ``thread_lab.result.date``), a placeholder
    (``[[slot]]``, ``{{shop | upcase}}``), a condition (``[[attempts]] >= 3``) or a bare name, which is
    looked up as the main thread's variable and else as a dynamic one.

    Raises:
        InputError: It is none of these.
        ExpressionError: It is a condition with a fault in it; the message shows where.
    """
    wanted = text.strip()
    if not wanted or len(wanted) > _LONGEST:
        raise InputError(
            "There is nothing to watch." if not wanted else f"A watch has at most {_LONGEST} characters.",
            advice="Write a variable as [[slot]] or {{shop}}, a path as runtime.slot, or a condition.",
        )
    scoped = _SCOPED.fullmatch(wanted)
    if scoped is not None and not placeholders(wanted) and _NAME.fullmatch(scoped["path"]):
        return Watch(wanted, False, _scope_reader(scoped["scope"], scoped["path"]))
    found = placeholders(wanted)
    if len(found) == 1 and found[0].text == wanted:
        read = placeholder_reader(found[0])
        return Watch(wanted, False, lambda moment, workflow: read(moment.scope(workflow=workflow)))
    if _NAME.fullmatch(wanted):
        return Watch(wanted, False, _name_reader(wanted))
    condition = parse(wanted)
    return Watch(
        wanted, True, lambda moment, workflow: condition.evaluate(moment.scope(workflow=workflow)).value
    )


class Series:
    """The values of one watch over one run, as far as the run has come.

    Args:
        watch: What is watched.
        moments: The variables of the run.
        workflow: What the run runs; it has values for variables that nobody gave.
    """

    def __init__(self, watch: Watch, moments: Snapshots, workflow: Workflow) -> None:
        self.watch = watch
        self._moments, self._workflow = moments, workflow
        self._last: Snapshot | None = None
        self._seen = 0
        self.points: list[Point] = []
        """Each value where it began, the earliest first."""

    def catch_up(self) -> Series:
        """Take in the moments that are new."""
        moments = self._moments.all
        if self._seen > len(moments) or (self._seen and moments[self._seen - 1] is not self._last):
            self._seen, self.points = 0, []
        for moment in moments[self._seen :]:
            point = self._point(moment)
            if self.points and self.points[-1].index == point.index:
                self.points.pop()  # what a turn was given, and what its first event then showed
            if not self.points or _is_new(self.points[-1], point):
                self.points.append(point)
        self._seen, self._last = len(moments), moments[-1] if moments else None
        return self

    def at(self, index: int | None) -> Point | None:
        """The value after an event, from where it began; ``None`` before the run.

        Args:
            index: The event, counted over the run from 0; ``None`` is the run's end.
        """
        place = len(self.points)
        if index is not None:
            place = bisect_right(self.points, index, key=lambda point: point.index)
        return self.points[place - 1] if place else None

    @property
    def first_true(self) -> Point | None:
        """Where it first became true; a variable is where it is not nothing, ``false``, zero or empty."""
        return next((point for point in self.points if point.value is not ABSENT and point.value), None)

    def _point(self, moment: Snapshot) -> Point:
        try:
            return Point(moment.index, moment.turn_number, self.watch.read(moment, self._workflow))
        except DebuggerError as error:
            return Point(moment.index, moment.turn_number, ABSENT, str(error))


def _is_new(last: Point, point: Point) -> bool:
    if (last.value is ABSENT) != (point.value is ABSENT):
        return True
    if point.value is ABSENT:
        return last.problem != point.problem
    return bool(differences(last.value, point.value))


def _scope_reader(scope: str, path: str) -> _Read:
    def read(moment: Snapshot, _workflow: Workflow) -> Any:
        return lookup(Scope(runtime=moment.by_scope().get(scope, {})), "runtime", path)

    return read


def _name_reader(name: str) -> _Read:
    def read(moment: Snapshot, workflow: Workflow) -> Any:
        scope = moment.scope(workflow=workflow)
        found = lookup(scope, "runtime", name)
        return lookup(scope, "dynamic", name) if found is ABSENT else found

    return read
