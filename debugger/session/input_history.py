"""Inputs of earlier runs, and next lines of known conversations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from debugger.backends.base import Backend
from debugger.errors import NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import CLIENT_TURN_ID, Run
from debugger.protocol.workflow import SYSTEM_NAMES

MAX_INPUTS = 20
MAX_RUNS = 60
"""Runs that are looked at for inputs that differ."""

_OF_THE_TURN = frozenset(
    {"command", "thread_to_node_inputs", "workflow_id", "workflow_run_id", "version_number", "team_id"}
)
"""Fields of one turn, its messages among them, which another turn does not repeat."""
_OF_THE_PLATFORM = frozenset({"all_dynamic_variables", "input_dynamic_variables", "workflow_invoke_count"})
"""Runtime variables that the hosted API adds to a record (``platform.md#run-record``)."""


@dataclass(frozen=True)
class ReusedInput:
    """A run input that was taken from elsewhere."""

    value: JsonObject
    source: str
    """Where from, as people know it: ``run …8c90``, ``preset Known caller``."""


class InputHistory:
    """The inputs of a workflow's newest runs, each once.

    Records are read only as far as the user looks back.
    """

    def __init__(self, backend: Backend, workflow_id: str) -> None:
        self._backend = backend
        self._workflow_id = workflow_id
        self._found: list[ReusedInput] = []
        self._ahead: list[Run] | None = None
        self._place = -1

    @property
    def current(self) -> ReusedInput | None:
        """The input on view; ``None`` before the first recall."""
        return self._found[self._place] if self._place >= 0 else None

    @property
    def number(self) -> int:
        """Counts the looks back: 1 is the newest input."""
        return self._place + 1

    @property
    def has_older(self) -> bool:
        """Return whether there may be an older one in the records."""
        return self._place + 1 < len(self._found) or self._may_read

    @property
    def has_newer(self) -> bool:
        """Return whether there is a newer one."""
        return self._place > 0

    def older(self) -> None:
        """Select the next older input that differs; without one, stay.

        Raises:
            DebuggerError: The backend cannot give a record.
        """
        while self._place + 1 >= len(self._found) and self._may_read:
            self._read_one()
        self._place = min(self._place + 1, len(self._found) - 1)

    def newer(self) -> None:
        """Look at the next newer input; at the newest, stay."""
        self._place = max(self._place - 1, min(0, len(self._found) - 1))

    @property
    def _may_read(self) -> bool:
        return self._ahead is None or (bool(self._ahead) and len(self._found) < MAX_INPUTS)

    def _read_one(self) -> None:
        """Read the list of runs, or else the next run of it.

        Append the input of its first turn if that is new.
        A run that was deleted meanwhile is passed over.

        Raises:
            DebuggerError: The backend cannot give the list or the record.
        """
        if self._ahead is None:
            self._ahead = self._backend.runs(workflow_id=self._workflow_id, size=MAX_RUNS).rows
            return
        run_id = self._ahead[0].workflow_run_id
        try:
            turns = self._backend.record(run_id).turns
        except NotFoundError:
            turns = ()  # another client has deleted it since the list was read
        self._ahead = self._ahead[1:]
        if turns:
            value = reusable_input(turns[0]().run_input)
            if all(value != known.value for known in self._found):
                self._found.append(ReusedInput(value, f"run …{run_id[-6:]}"))


def reusable_input(run_input: JsonObject) -> JsonObject:
    """Return a copy of a run input without fields of its turn and record, system variables and empty values.

    Both tables of variables are always in it, if need be empty.
    """
    fields = {key: value for key, value in run_input.items() if key not in _OF_THE_TURN}
    if isinstance(fields.get("miscellaneous"), dict):
        named = fields["miscellaneous"].items()
        fields["miscellaneous"] = {key: value for key, value in named if key != CLIENT_TURN_ID}
    added = {"dynamic_variables": SYSTEM_NAMES, "runtime_variables": _OF_THE_PLATFORM}
    for tier, names in added.items():
        variables = fields.get(tier)
        own = variables if isinstance(variables, dict) else {}
        fields[tier] = {name: value for name, value in own.items() if name not in names}
    return {key: value for key, value in fields.items() if key in added or value not in (None, {}, [])}


MAX_LINES = 4


def next_lines(conversations: Iterable[Sequence[str]], said: Sequence[str]) -> list[str]:
    """Return the next line of every conversation that matches so far, `MAX_LINES` of them at most.

    Args:
        conversations: Each as its user's lines in order, the best first.
        said: The user's lines so far.

    Returns:
        Each line once, in the order of the conversations; none when the talk has left all of them.
    """
    so_far = list(said)
    place = len(so_far)
    lines = [lines[place] for lines in conversations if len(lines) > place and list(lines[:place]) == so_far]
    return list(dict.fromkeys(lines))[:MAX_LINES]
