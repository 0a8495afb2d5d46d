"""Records of decisions as events have them, and explained edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from debugger.graph.candidates import Caller, Kind

Outcome = Literal[
    "direct",
    "condition",
    "model",
    "loop",
    "retry",
    "gave_up",
    "ended",
    "escalated",
    "beside",
    "moved",
    "failed",
]
"""The outcome: a direct edge, a condition that held, a model's choice, the node's own loop, another attempt
of a bounded loop, its last attempt, the end of the thread, an escalation of guardrails, a node or thread that
runs beside, a forced transfer, an error."""

Stage = Literal["after_run", "while_waiting", "after_giving_up"]
"""The moment of the decision; each evaluates other candidate edges."""

OUTCOME_LABELS: Final[dict[Outcome, str]] = {
    "direct": "direct edge",
    "condition": "condition held",
    "model": "model chose",
    "loop": "stays on this node",
    "retry": "tries again",
    "gave_up": "no attempt left",
    "ended": "thread ends",
    "escalated": "guardrails escalate",
    "beside": "runs in parallel",
    "moved": "moved manually",
    "failed": "cannot be decided",
}


@dataclass(frozen=True, slots=True)
class LlmVerdict:
    """A model's verdict on one condition, from a separate call."""

    destination: str | None
    held: bool
    words: str


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision, as its events record it."""

    number: int
    """Counts the run's decisions from 1."""
    transition_number: int | None
    """Counts the run's transitions from 1, as the graph does; ``None`` for any other decision."""
    index: int
    """The index of the event that records the outcome."""
    turn_number: int
    thread_id: str
    """Internal id."""
    outcome: Outcome
    stage: Stage
    source: str | None
    """The node's id as it ran: of an inner node ``booking/ask``."""
    destination: str | None
    edge_id: str | None
    """As the event has it."""
    reason: str
    """The event's own words."""
    args: dict[str, Any]
    """What a model filled in along with its choice."""
    words: str
    """The justification of the model, or of its mock."""
    started: int | None
    """The index of the event that started the node run, if it ran."""
    is_skipped: bool
    """Whether the thread passed the node without running it."""
    chosen: tuple[str, ...]
    """The ids of the nodes that the model chose."""
    verdicts: tuple[LlmVerdict, ...]
    caller: Caller | None
    must_answer: str
    """The reason why the model was offered no edge, as the end of a sentence; empty if it was."""
    attempt: int
    """For a bounded loop, the next attempt, or how many there were."""
    entries: int
    """For an escalation, how often guardrail nodes were entered."""


EdgeOutcome = Literal[
    "taken",
    "redirected",
    "held",
    "false",
    "error",
    "not_chosen",
    "not_offered",
    "judged_yes",
    "judged_no",
    "not_asked",
    "not_armed",
    "blocked",
    "disabled",
    "dangling",
    "forked",
    "exhausted",
    "not_needed",
]

EDGE_OUTCOME_LABELS: Final[dict[EdgeOutcome, str]] = {
    "taken": "taken",
    "redirected": "redirected",
    "held": "true, but later",
    "false": "false",
    "error": "error",
    "not_chosen": "offered, not chosen",
    "not_offered": "not offered",
    "judged_yes": "separate call: yes, but later",
    "judged_no": "separate call: no",
    "not_asked": "not reached",
    "not_armed": "true, but not due",
    "blocked": "blocked",
    "disabled": "disabled",
    "dangling": "no destination",
    "forked": "starts a companion thread",
    "exhausted": "no attempt left",
    "not_needed": "not needed",
}
"""Labels for users."""


@dataclass(frozen=True)
class ExplainedEdge:
    """A candidate edge with its outcome."""

    kind: Kind
    edge_id: str | None
    """The author's id for the edge; ``None`` if it has none."""
    label: str
    """The edge's name, else the kind."""
    destination: str | None
    destination_label: str
    condition: str
    """As it was written; empty without one."""
    filled: str
    """The condition with the values of that moment; empty if it has none, or they are unknown."""
    outcome: EdgeOutcome
    why: str
    """One sentence."""

    @property
    def won(self) -> bool:
        """True if the decision was for it."""
        return self.outcome in ("taken", "redirected", "exhausted")
