"""What the events of a run tell of one decision; why it went so is worked out when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from debugger.analysis.decisions.candidates import Caller, Kind

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
"""How it ended: by a direct edge, a condition that held, a model's choice, the node's own loop, another
attempt of a bounded one, the end of attempts, the end of the thread, an escalation of guardrails, a node or a
thread that runs beside, a move that somebody made, an error."""

Stage = Literal["after_run", "while_waiting", "after_giving_up"]
"""When it was made; not every way out is asked at each."""

OUTCOME_LABELS: Final[dict[Outcome, str]] = {
    "direct": "direct edge",
    "condition": "condition held",
    "model": "model chose",
    "loop": "goes on with itself",
    "retry": "tries again",
    "gave_up": "gives up trying",
    "ended": "thread ends",
    "escalated": "guardrails escalate",
    "beside": "runs beside",
    "moved": "moved by hand",
    "failed": "cannot be decided",
}


@dataclass(frozen=True, slots=True)
class LlmVerdict:
    """What a model said about one condition that it was asked apart."""

    destination: str | None
    held: bool
    words: str


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision, as far as the events tell it."""

    number: int
    """Counts the run's decisions from 1."""
    transition_number: int | None
    """Counts the run's hops from 1, as the graph does; ``None`` where nothing moved."""
    index: int
    """The event that tells how it ended, counted over the run from 0."""
    turn_number: int
    thread_id: str
    """Internal id."""
    outcome: Outcome
    stage: Stage
    source: str | None
    """The node's id as it ran: of an inner node ``booking/ask``."""
    destination: str | None
    edge_id: str | None
    """As the event tells it."""
    reason: str
    """The event's own words."""
    args: dict[str, Any]
    """What a model filled in along with its choice."""
    words: str
    """The model's justification, or what its stand-in says of it."""
    started: int | None
    """The event with which the node began its run, if it ran."""
    is_skipped: bool
    """Whether the thread came to the node and went on without a run of it."""
    chosen: tuple[str, ...]
    """The ids of the nodes that the model called for."""
    verdicts: tuple[LlmVerdict, ...]
    caller: Caller | None
    must_answer: str
    """Why no hop was offered to the model, as the end of a sentence; empty where hops were."""
    attempt: int
    """Of a bounded loop: the attempt that comes, or how many there were."""
    entries: int
    """How often guardrail nodes were entered, where that is what counts."""


Verdict = Literal[
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

VERDICT_LABELS: Final[dict[Verdict, str]] = {
    "taken": "taken",
    "redirected": "redirected",
    "held": "true, but later",
    "false": "false",
    "error": "error",
    "not_chosen": "offered, not chosen",
    "not_offered": "not offered",
    "judged_yes": "judged apart: yes, but later",
    "judged_no": "judged apart: no",
    "not_asked": "not reached",
    "not_armed": "true, but not due",
    "blocked": "blocked",
    "disabled": "switched off",
    "dangling": "leads nowhere",
    "forked": "starts a thread",
    "exhausted": "used up",
    "not_needed": "not needed",
}
"""What a person reads."""


@dataclass(frozen=True)
class ExplainedEdge:
    """One way out."""

    kind: Kind
    edge_id: str | None
    """The author's id for the edge; ``None`` where the way needs none."""
    label: str
    """The edge's name, else what kind of way it is."""
    destination: str | None
    destination_label: str
    condition: str
    """As it was written; empty where nothing has to hold."""
    filled: str
    """The condition with the values of that moment; empty where it has none, or nobody knows them."""
    is_expression: bool
    """Whether the condition is in the condition language; else a model judges it."""
    verdict: Verdict
    why: str
    """One sentence."""

    @property
    def won(self) -> bool:
        """Whether the decision was for it."""
        return self.verdict in ("taken", "redirected", "exhausted")
