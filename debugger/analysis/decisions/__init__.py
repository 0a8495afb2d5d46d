"""Why a run went the way it did: the decisions at its hops, and each of them explained."""

from __future__ import annotations

from debugger.analysis.decisions.candidate import VERDICT_WORDS, Candidate, Verdict
from debugger.analysis.decisions.explain import Explainer, Explanation
from debugger.analysis.decisions.log import DecisionLog
from debugger.analysis.decisions.record import OUTCOME_WORDS, Record

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
