"""Variables under edit while a run stands still: nothing changes before the edits are applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from debugger.analysis.differences import Difference, differences
from debugger.engine.edits import EditedScope, VariableEdit
from debugger.protocol.base import JsonObject
from debugger.session.variable_rows import RowError, VariableRow, rows_from, variables_from


@dataclass(frozen=True)
class Tier:
    """One set of variables that can be edited."""

    scope: EditedScope
    thread_id: str = "0"
    """Whose they are, of runtime variables."""


@dataclass
class PendingEdits:
    """Edits that were not applied yet.

    Args:
        shown: The variables as they stand, by tier.
    """

    shown: Mapping[Tier, JsonObject]
    _wanted: dict[Tier, JsonObject] = field(default_factory=dict)
    _errors: dict[Tier, RowError] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """Why they cannot be applied, one sentence each."""
        return [f"{problem}" for error in self._errors.values() for problem in error.problems]

    @property
    def edits(self) -> list[VariableEdit]:
        """What would be changed."""
        return [edit for tier in self._wanted for edit in self._of(tier)]

    @property
    def differences(self) -> list[Difference]:
        """What would be different afterwards, path by path."""
        return [
            found
            for tier, wanted in self._wanted.items()
            for found in differences(self.shown[tier], wanted, _named(tier))
        ]

    def rows(self, tier: Tier) -> list[VariableRow]:
        """The table of a tier, as its edits would leave it."""
        return rows_from(self._wanted.get(tier, self.shown[tier]))

    def set_rows(self, tier: Tier, rows: Sequence[VariableRow]) -> None:
        """Take a table as it was edited; one that cannot be used is told by `problems`."""
        try:
            self._wanted[tier] = variables_from(rows)
            self._errors.pop(tier, None)
        except RowError as error:
            self._errors[tier] = error

    def _of(self, tier: Tier) -> list[VariableEdit]:
        shown, wanted = self.shown[tier], self._wanted[tier]
        gone = [
            VariableEdit(tier.scope, name, is_removal=True, thread_id=tier.thread_id)
            for name in shown
            if name not in wanted
        ]
        # Not by equality alone: true is not 1.
        return gone + [
            VariableEdit(tier.scope, name, value, thread_id=tier.thread_id)
            for name, value in wanted.items()
            if name not in shown or differences(shown[name], value)
        ]


def _named(tier: Tier) -> str:
    return tier.scope if tier.scope != "runtime" or tier.thread_id == "0" else f"thread_{tier.thread_id}"
