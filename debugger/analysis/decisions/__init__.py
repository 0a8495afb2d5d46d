"""Decisions of a run and their explanations."""

from __future__ import annotations

from debugger.analysis.decisions.explanations import Explainer, Explanation
from debugger.analysis.decisions.log import DecisionLog
from debugger.analysis.decisions.records import (
    EDGE_OUTCOME_LABELS,
    OUTCOME_LABELS,
    DecisionRecord,
    EdgeOutcome,
    ExplainedEdge,
)

__all__ = [
    "EDGE_OUTCOME_LABELS",
    "OUTCOME_LABELS",
    "DecisionLog",
    "DecisionRecord",
    "EdgeOutcome",
    "ExplainedEdge",
    "Explainer",
    "Explanation",
]
