"""Verdicts of reviewers and the rubrics that they go through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import Field

from debugger.errors import InputError
from debugger.protocol.base import AnswerModel
from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, Target

VerdictValue = Literal["pass", "fail", "unsure"]
VERDICT_VALUES: tuple[VerdictValue, ...] = get_args(VerdictValue)

CheckResult = Literal["pass", "fail", "not_applicable"]
"""The result of one check of a rubric."""

MAX_CHECKS = 20
"""Of a rubric."""
MAX_CHECK_CHARACTERS = 80
"""Of a check's name."""
MAX_REVIEWER_CHARACTERS = 200


class RunVerdict(AnswerModel):
    """The verdict of one reviewer, as the file of its run has it."""

    target: Target
    value: VerdictValue
    reviewer: str
    comment: str = ""
    checks: dict[str, CheckResult] = Field(default_factory=dict)
    """Results of the rubric's checks by name; checks without a result are absent."""
    created_at: str = ""
    """ISO 8601, UTC."""
    updated_at: str = ""

    @classmethod
    def of(cls, verdict: Verdict) -> RunVerdict:
        """Return a verdict without its run and connection."""
        return RunVerdict(**{name: getattr(verdict, name) for name in RunVerdict.model_fields})


class Verdict(RunVerdict):
    """The verdict of one reviewer on a run, a turn or a message."""

    run_id: str
    connection: str = ""
    """The connection of a hosted run; empty of the embedded engine."""
    revision: int = Field(default=0, exclude=True)
    """Another random number after each change in the store; 0 of one that is not stored."""

    @property
    def identity(self) -> tuple[str, str, str, str, str]:
        """Return the key that no two stored verdicts share."""
        return self.connection, self.run_id, self.target.kind, self.target.key, self.reviewer

    @property
    def content(self) -> tuple[VerdictValue, str, dict[str, CheckResult]]:
        """Return the reviewer's statement, without key and times."""
        return self.value, self.comment, self.checks


def target_words(target: Target) -> str:
    """Return a target in words, as ``turn 2``."""
    return "the run" if target.kind == "run" else f"{target.kind} {target.key}"


def check_verdict(verdict: RunVerdict) -> None:
    """Refuse a malformed verdict.

    Raises:
        InputError: A field is blank, too long or malformed.
    """
    target = verdict.target
    if target.kind not in {"run", "turn", "message"}:
        raise InputError(f"A verdict is on a run, a turn or a message, not on an {target.kind}.")
    if (target.kind == "run") != (target.key == "") or (target.key and not is_number(target.key)):
        raise InputError(f"A run has no {target.kind} {target.key!r}.", advice="They are numbered from 1.")
    if not 0 < len(verdict.reviewer.strip()) <= MAX_REVIEWER_CHARACTERS:
        raise InputError(
            f"The name of a reviewer has 1 to {MAX_REVIEWER_CHARACTERS} characters.",
            advice="Type your name first.",
        )
    if len(verdict.comment) > MAX_COMMENT_CHARACTERS:
        raise InputError(
            f"The comment has {len(verdict.comment)} characters.",
            advice=f"Shorten it to {MAX_COMMENT_CHARACTERS}.",
        )


def is_number(text: str) -> bool:
    """Return whether a text is a number from 1 to 999,999,999."""
    return text.isascii() and text.isdecimal() and text[0] != "0" and len(text) < 10


def check_rubric(checks: Sequence[str]) -> list[str]:
    """Return the names of a rubric's checks, without blanks around them.

    Raises:
        InputError: There are too many checks, or one is blank, too long or there twice.
    """
    names = [" ".join(check.split()) for check in checks]
    if len(names) > MAX_CHECKS:
        raise InputError(f"The rubric has {len(names)} checks.", advice=f"It may have {MAX_CHECKS}.")
    for name in names:
        if not 0 < len(name) <= MAX_CHECK_CHARACTERS:
            raise InputError(
                f"The name of a check has 1 to {MAX_CHECK_CHARACTERS} characters, and {name[:20]!r} has "
                f"{len(name)}.",
                advice="Name it after what must be true.",
            )
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise InputError(f"The check {repeated!r} is there twice.", advice="Name each check once.")
    return names
