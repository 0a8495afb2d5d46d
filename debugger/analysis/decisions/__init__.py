"""Why a run went the way it did: the decisions at its hops, and each of them explained."""

from __future__ import annotations

from debugger.analysis.decisions.explanations import Explainer, Explanation
from debugger.analysis.decisions.log import DecisionLog
from debugger.analysis.decisions.records import OUTCOME_WORDS, VERDICT_WORDS, Candidate, Record, Verdict

__all__ = [
    "OUTCOME_WORDS",
    "VERDICT_WORDS",
    "Candidate",
    "DecisionLog",
    "Explainer",
    "Explanation",
    "Record",
    "Verdict",
]
