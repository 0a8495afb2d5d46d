"""Who set a variable, and to what: every change of every variable of a run, found at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from debugger.analysis.difference import Difference, Op, differences
from debugger.analysis.moments import BEFORE, Moment, Moments
from debugger.protocol.base import JsonObject

_UNTOLD = frozenset({"system", "input"})
"""Scopes that are no part of what an event changed: clock and chance, and what stands elsewhere already."""


@dataclass(frozen=True, slots=True)
class Setting:
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

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._last: Moment | None = None
        self._seen = 0
        self._settings: dict[tuple[str, str], list[Setting]] = {}

    def catch_up(self) -> VariableHistory:
        """Take in the moments that are new."""
        moments = self._moments.all
        if self._seen > len(moments) or (self._seen and moments[self._seen - 1] is not self._last):
            self._last, self._seen, self._settings = None, 0, {}
        for moment in moments[self._seen :]:
            for scope, name, op, before, after in _changes(self._last or BEFORE, moment):
                setting = Setting(moment.index, moment.turn_number, op, before, after)
                self._settings.setdefault((scope, name), []).append(setting)
            self._last = moment
        self._seen = len(moments)
        return self

    def settings(self, scope: str, name: str) -> list[Setting]:
        """Every change of a variable, the earliest first."""
        return self._settings.get((scope, name), [])

    def last_set(self, scope: str, name: str, index: int | None) -> Setting | None:
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

    def _between(self, before: Moment, after: Moment) -> list[Difference]:
        return differences(self._told(before), self._told(after))

    def _told(self, moment: Moment) -> JsonObject:
        return {
            f"{scope}.{name}": value
            for scope, values in moment.by_scope().items()
            if scope not in _UNTOLD
            for name, value in values.items()
            if not self._moments.is_copy(name)
        }


def _changes(before: Moment, after: Moment) -> Iterator[tuple[str, str, Op, Any, Any]]:
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
