"""Verdicts of reviewers and the rubrics that they go through."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from debugger.protocol.base import WireModel
from debugger.protocol.notes import Target

VerdictValue = Literal["pass", "fail", "unsure"]
VERDICT_VALUES: tuple[VerdictValue, ...] = get_args(VerdictValue)

CheckResult = Literal["pass", "fail", "not_applicable"]
"""The result of one check of a rubric."""


class Verdict(WireModel):
    """The verdict of one reviewer on a run, a turn or a message."""

    run_id: str
    target: Target
    value: VerdictValue
    reviewer: str
    comment: str = ""
    checks: dict[str, CheckResult] = Field(default_factory=dict)
    """Results of the rubric's checks by name; checks without a result are absent."""
    connection: str = ""
    """The connection of a hosted run; empty of the embedded engine."""
    created_at: str = ""
    """ISO 8601, UTC."""
    updated_at: str = ""
