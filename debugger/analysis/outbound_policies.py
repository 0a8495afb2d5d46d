"""Policies of a run for models and calls to the outside."""

from __future__ import annotations

from typing import NamedTuple

from debugger.settings import PREFIX, OutboundPolicy, Settings

_MEANINGS: dict[OutboundPolicy, str] = {
    "live": "made for real",
    "simulated": "answered here",
    "blocked": "refused",
}


class PolicyRow(NamedTuple):
    """The policy of one class of calls."""

    call_class: str
    what: str
    """Which calls these are."""
    policy: OutboundPolicy
    meaning: str
    """The policy in plain words."""
    setting: str
    """The variable of the environment that sets it."""


def policy_rows(settings: Settings) -> list[PolicyRow]:
    """Return the policy of each class of calls, in the order talk, read, write, contact."""
    found: list[tuple[str, str, OutboundPolicy]] = [
        ("talk", "calls to models", settings.outbound_talk),
        ("read", "calls that only read", settings.outbound_read),
        ("write", "calls that change something", settings.outbound_write),
        ("contact", "messages and calls to people", settings.outbound_contact),
    ]
    return [
        PolicyRow(name, what, policy, _MEANINGS[policy], f"{PREFIX}OUTBOUND_{name.upper()}")
        for name, what, policy in found
    ]


def model_source_label(settings: Settings, *, has_script: bool | None = None) -> str:
    """Return the name of what answers model calls.

    Args:
        settings: The settings.
        has_script: Whether the workflow on view has a script; ``None`` speaks of any workflow.
    """
    if settings.responder == "model":
        return "the models that the workflow names"
    if settings.responder == "rules":
        return "rules"
    if has_script is None:
        return "the workflow's script, else rules"
    return "the workflow's script" if has_script else "rules, since the workflow has no script"


def policy_summary(settings: Settings, *, has_script: bool) -> str:
    """Return the policies in one line, shown before a run."""
    calls = ", ".join(f"{row.call_class} {row.policy}" for row in policy_rows(settings))
    return f"Models: {model_source_label(settings, has_script=has_script)}. External calls: {calls}."


HOSTED_NOTICE = "The platform makes every call for real: models, writes and messages to people among them."
"""Shown before a run on a hosted backend."""
