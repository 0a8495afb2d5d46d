"""Changes of variables, and values of watches, over a run."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from debugger.analysis.differences import Difference, Op, differences, is_same
from debugger.analysis.variables import EMPTY_SNAPSHOT, Snapshot, Snapshots
from debugger.errors import DebuggerError, InputError
from debugger.expressions import ABSENT, Scope, lookup, parse, placeholders
from debugger.expressions.placeholders import placeholder_reader
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

_HIDDEN_SCOPES = frozenset({"system", "input"})
"""Scopes that are not part of an event's changes."""


@dataclass(frozen=True, slots=True)
class VariableChange:
    """One change of one variable."""

    index: int
    """The event that made it, counted over the run from 0."""
    turn_number: int
    op: Op
    before: Any
    after: Any


class _SnapshotReader:
    """A reader of a run's snapshots, which continues as the run grows."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._last: Snapshot | None = None
        self._seen = 0

    def catch_up(self) -> Self:
        """Apply the snapshots that are new.

        Begin again where those applied are not among them. Return the reader.
        """
        snapshots = self._snapshots.all
        if self._seen > len(snapshots) or (self._seen and snapshots[self._seen - 1] is not self._last):
            self._last, self._seen = None, 0
            self._clear()
        for snapshot in snapshots[self._seen :]:
            self._apply(snapshot)
            self._last = snapshot
        self._seen = len(snapshots)
        return self

    def _clear(self) -> None:
        raise NotImplementedError

    def _apply(self, snapshot: Snapshot) -> None:
        raise NotImplementedError


class VariableHistory(_SnapshotReader):
    """The changes of the variables of one run.

    A variable is named by its scope, as ``runtime`` or ``thread_lab``, and its name in it.
    """

    def __init__(self, snapshots: Snapshots) -> None:
        super().__init__(snapshots)
        self._by_variable: dict[tuple[str, str], list[VariableChange]] = {}

    def _clear(self) -> None:
        self._by_variable = {}

    def _apply(self, snapshot: Snapshot) -> None:
        for scope, name, op, before, after in _changes(self._last or EMPTY_SNAPSHOT, snapshot):
            change = VariableChange(snapshot.index, snapshot.turn_number, op, before, after)
            self._by_variable.setdefault((scope, name), []).append(change)

    def changes(self, scope: str, name: str) -> list[VariableChange]:
        """Return every change of a variable, the earliest first."""
        return self._by_variable.get((scope, name), [])

    def last_set(self, scope: str, name: str, index: int | None) -> VariableChange | None:
        """Return the last change of a variable up to an event.

        Args:
            scope: The scope.
            name: The variable's name in it.
            index: The event, counted over the run from 0; ``None`` is the run's end.
        """
        found = self.changes(scope, name)
        place = len(found) if index is None else bisect_right(found, index, key=lambda each: each.index)
        return found[place - 1] if place else None

    def changed_at(self, index: int) -> list[Difference]:
        """Return the changes of one event, without system variables and copies.

        A turn's first event also reports what the caller's input changed. Paths begin with the scope.
        """
        return self.changed_between(index - 1, index)

    def changed_between(self, first: int, last: int) -> list[Difference]:
        """Return the changes after one event up to another."""
        before, after = self._snapshots.at(first), self._snapshots.at(last)
        if before is after:
            return []
        return differences(self._shown_variables(before), self._shown_variables(after))

    def _shown_variables(self, snapshot: Snapshot) -> JsonObject:
        """Return a snapshot's variables by scope and name, without input, system and qualified copies."""
        return {
            f"{scope}.{name}": value
            for scope, values in snapshot.by_scope().items()
            if scope not in _HIDDEN_SCOPES
            for name, value in values.items()
            if not self._snapshots.is_copy(name)
        }


def _changes(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str, Op, Any, Any]]:
    """Yield scope, name, operation and both values of each variable that differs.

    Removed ones come last in a scope.
    """
    old_scopes = before.by_scope()
    for scope, new in after.by_scope().items():
        old = old_scopes.get(scope, {})
        if old is new:
            continue
        for name, value in new.items():
            if name not in old:
                yield scope, name, "added", None, value
            elif not is_same(old[name], value):
                yield scope, name, "changed", old[name], value
        for name in old.keys() - new.keys():
            yield scope, name, "removed", old[name], None


_SCOPED = re.compile(r"(?P<scope>runtime|workflow|dynamic|input|system|thread_[^.\[\]\s]+)\.(?P<path>\S.*)")
_NAME = re.compile(r"[^\s\[\]{}()<>=!&|'\"]+(\[\d+\][^\s\[\]{}()<>=!&|'\"]*)*")
_LONGEST: Final = 500

_Read = Callable[[Snapshot, Workflow], Any]


@dataclass(frozen=True)
class Watch:
    """An expression with a value at each snapshot of a run."""

    text: str
    """As the person wrote it."""
    is_condition: bool
    read: _Read
    """Its value at a snapshot; `ABSENT` where it has none. Raises `DebuggerError` where it cannot be had."""


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a watch, from one event on."""

    index: int
    """The event from which on it had it, counted over the run from 0."""
    turn_number: int
    value: Any
    """`ABSENT` where there was none."""
    problem: str = ""
    """Why there was none, where something was wrong."""


def read_watch(text: str) -> Watch:
    """Parse a watch.

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
        scope, path = scoped["scope"], scoped["path"]
        return Watch(
            wanted,
            False,
            lambda snapshot, _: lookup(Scope(runtime=snapshot.by_scope().get(scope, {})), "runtime", path),
        )
    found = placeholders(wanted)
    if len(found) == 1 and found[0].text == wanted:
        read = placeholder_reader(found[0])
        return Watch(wanted, False, lambda snapshot, workflow: read(snapshot.scope(workflow=workflow)))
    if _NAME.fullmatch(wanted):
        return Watch(wanted, False, _name_reader(wanted))
    condition = parse(wanted)
    return Watch(
        wanted, True, lambda snapshot, workflow: condition.evaluate(snapshot.scope(workflow=workflow)).value
    )


class Series(_SnapshotReader):
    """The values of one watch over one run."""

    def __init__(self, watch: Watch, snapshots: Snapshots, workflow: Workflow) -> None:
        """Begin without points; `catch_up` adds them."""
        super().__init__(snapshots)
        self.watch = watch
        self._workflow = workflow
        self.points: list[Point] = []
        """Each value where it began, the earliest first."""

    def at(self, index: int | None) -> Point | None:
        """Return the value after an event; ``None`` before the run.

        Args:
            index: The event, counted over the run from 0; ``None`` is the run's end.
        """
        place = len(self.points)
        if index is not None:
            place = bisect_right(self.points, index, key=lambda point: point.index)
        return self.points[place - 1] if place else None

    @property
    def first_true(self) -> Point | None:
        """The first point where the value is true in Python's sense."""
        return next((point for point in self.points if point.value is not ABSENT and point.value), None)

    def _clear(self) -> None:
        self.points = []

    def _apply(self, snapshot: Snapshot) -> None:
        """Add a point where the watch's value begins to differ.

        An error of reading it is the point's problem.
        """
        value, problem = ABSENT, ""
        try:
            value = self.watch.read(snapshot, self._workflow)
        except DebuggerError as error:
            problem = str(error)
        point = Point(snapshot.index, snapshot.turn_number, value, problem)
        if self.points and self.points[-1].index == point.index:
            self.points.pop()  # the first event replaces the turn's input
        if not self.points or _is_new(self.points[-1], point):
            self.points.append(point)


def _is_new(last: Point, point: Point) -> bool:
    """Return whether a value differs from the one before, or of two absent ones the problem does."""
    if (last.value is ABSENT) != (point.value is ABSENT):
        return True
    if point.value is ABSENT:
        return last.problem != point.problem
    return bool(differences(last.value, point.value))


def _name_reader(name: str) -> _Read:
    """Return a function that reads a name as the main thread's variable, else as a dynamic one."""

    def read(snapshot: Snapshot, workflow: Workflow) -> Any:
        """Return the value of the name at a snapshot, or `ABSENT`."""
        scope = snapshot.scope(workflow=workflow)
        found = lookup(scope, "runtime", name)
        return lookup(scope, "dynamic", name) if found is ABSENT else found

    return read
