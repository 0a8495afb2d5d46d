"""Decisions of a run and their explanations."""

from __future__ import annotations

from debugger.analysis.decisions.explanations import Explainer, Explanation
from debugger.analysis.decisions.log import DecisionLog
from debugger.analysis.decisions.records import (
    OUTCOME_LABELS,
    VERDICT_LABELS,
    DecisionRecord,
    ExplainedEdge,
    Verdict,
)

__all__ = [
    "OUTCOME_LABELS",
    "VERDICT_LABELS",
    "DecisionLog",
    "DecisionRecord",
    "ExplainedEdge",
    "Explainer",
    "Explanation",
    "Verdict",
]
