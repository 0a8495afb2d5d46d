"""The variables of two runs, side by side at the end of a turn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from debugger.analysis.comparison.ignored import IGNORED
from debugger.analysis.difference import SIGNS, differences
from debugger.analysis.scopes import Scopes, scopes_at
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD, TurnLog


@dataclass(frozen=True)
class VariableRow:
    """One value, or part of one, in both runs."""

    path: str
    a: Any
    """``None`` where only B has it."""
    b: Any
    op: Literal["same", "added", "removed", "changed"]
    """From A to B: what only B has is ``added``."""

    @property
    def sign(self) -> str:
        """The operation in one character."""
        return "=" if self.op == "same" else SIGNS[self.op]


def variable_rows(
    a: Sequence[TurnLog], b: Sequence[TurnLog], ignoring: Collection[str], *, with_same: bool = False
) -> list[VariableRow]:
    """What the variables were after the last of these turns.

    Args:
        a: The turns of run A, up to the one that is looked at.
        b: The same of run B.
        ignoring: What is passed over: of its names, those that are about variables.
        with_same: Whether variables that are the same in both are told, too, each as a whole.
    """
    one, other = _flat(scopes_at(a), ignoring), _flat(scopes_at(b), ignoring)
    return list(_rows(one, other, with_same))


def _rows(a: JsonObject, b: JsonObject, with_same: bool) -> Iterator[VariableRow]:
    for path in {**a, **b}:
        if path not in b:
            yield VariableRow(path, a[path], None, "removed")
        elif path not in a:
            yield VariableRow(path, None, b[path], "added")
        else:
            found = differences(a[path], b[path], path)
            yield from (VariableRow(each.path, each.before, each.after, each.op) for each in found)
            if with_same and not found:
                yield VariableRow(path, a[path], b[path], "same")


def _flat(scopes: Scopes, ignoring: Collection[str]) -> JsonObject:
    """All variables by scope and name, without the copies that bear a node's name."""
    passed = frozenset(name for one in IGNORED if one.name in ignoring for name in one.system_names)
    with_justification = "justifications" not in ignoring
    found = {f"dynamic.{name}": value for name, value in scopes.dynamic.items()}
    found |= {f"system.{name}": value for name, value in scopes.system.items() if name not in passed}
    for thread, values in scopes.runtime.items():
        lead = "runtime" if thread == MAIN_THREAD else f"thread_{thread}"
        found |= {
            f"{lead}.{name}": value
            for name, value in values.items()
            if with_justification or name != "justification"
        }
    found |= {f"workflow.{name}": value for name, value in scopes.workflow.items()}
    return found | {f"given.{name}": value for name, value in scopes.seeds.items()}
