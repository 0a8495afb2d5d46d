"""One way out of a node, as it was judged when the node was left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from debugger.analysis.decisions.ways import Kind

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

VERDICT_WORDS: Final[dict[Verdict, str]] = {
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
class Candidate:
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
