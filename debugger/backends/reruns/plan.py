"""What comes of a re-run that is asked for, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from debugger.backends.reruns.mapping import NodeMatch
from debugger.backends.reruns.target import HistoryMode, Mode
from debugger.backends.reruns.transcript import Line
from debugger.engine.state import RunState
from debugger.protocol.runs import RunStatus, Turn, TurnInput

__all__ = ["RANKS", "Mode", "NodeMatch", "RerunPlan"]

RANKS: dict[Mode, int] = {"PORTABLE": 0, "REMAPPED": 1, "EXACT": 2}
"""The more, the more of the run is kept."""


@dataclass(kw_only=True)
class RerunPlan:
    """A re-run as it would be."""

    run_id: str
    turn_index: int
    """The turn that the re-run names, from 0."""
    is_replay: bool
    """Whether the turn is executed again; otherwise it is restored, and the run continues after it."""
    workflow_id: str
    version_number: int
    version_name: str | None
    workflow_name: str
    graph_digest: str
    """Of the graph that it goes on in."""
    mode: Mode
    history_mode: HistoryMode
    entry_node_logical_id: str | None
    """Where it goes on; ``None`` where a node has to be chosen first."""
    suggested_entry_nodes: list[str] = field(default_factory=list)
    state: RunState
    status: RunStatus
    pairs: list[Turn]
    """The restored ones."""
    lines: list[Line]
    given: TurnInput | None
    """The input of a turn that is replayed, as its caller sent it."""
    matches: list[NodeMatch] = field(default_factory=list)
    unmapped_nodes: list[str] = field(default_factory=list)
    dropped_variables: list[str] = field(default_factory=list)
    dropped_parts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reason: str | None = None
    """Why it is refused; ``None`` where it is not."""
    not_resumable_reason: str | None = None
    """Why it cannot go on as it is asked for; ``None`` where it can."""

    @property
    def refusal(self) -> str | None:
        """Why it cannot be begun; ``None`` where it can."""
        return self.reason or self.not_resumable_reason

    @property
    def next_turn_number(self) -> int:
        """Return the number of the source's turn in whose place the re-run continues, from 1."""
        return self.turn_index + (1 if self.is_replay else 2)

    @property
    def variable_count(self) -> int:
        """How many variables it begins with."""
        state = self.state
        runtime = sum(len(thread.runtime_variables) for thread in state.threads.values())
        return runtime + len(state.dynamic_variables) + len(state.workflow_variables)
