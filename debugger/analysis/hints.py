"""The hint for whoever sends the next input: who waits for what, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from debugger.analysis.origins import label_of
from debugger.analysis.standing import Standing
from debugger.protocol.base import JsonObject

HintKind = Literal["message", "none", "ended", "background"]

_ENDED = {
    "completed": "The run is complete and takes no more messages.",
    "failed": "The run has failed and takes no more messages.",
    "cancelled": "The run was stopped and takes no more messages.",
    "aborted_looping_risk": "The run was ended because it looped, and takes no more messages.",
}
_NOT_WAITING = {
    "not_started": "The run has not started: send a first message, or start it without one.",
    "paused": "The run is paused: resume it.",
}
_WAIT_TYPE = "busy_wait_for_user_message"


@dataclass(frozen=True)
class InputHint:
    """What the run expects next."""

    kind: HintKind
    """``"message"``: a message is waited for. ``"none"``: nothing is. ``"ended"``: the run takes no more.
    ``"background"``: nothing is waited for, and work goes on without the user."""
    who: str
    """The node that waits, by name, with the super nodes around it; empty when none does or is known."""
    sentence: str


def input_hint(
    hint: Mapping[str, Any] | None,
    status: str,
    *,
    has_background_work: bool = False,
    names: Mapping[str, str] | None = None,
) -> InputHint:
    """Say who waits, and for what.

    Args:
        hint: The turn result's ``next_input_hint``, or the event it was made of.
        status: The run's status.
        has_background_work: Whether companions or waiting conditions still run.
        names: The author's node names by id.
    """
    if status in _ENDED:
        return InputHint("ended", "", _ENDED[status])
    if hint or status == "waiting_for_user_input":
        return _waiting(hint or {}, has_background_work, names or {})
    if status in _NOT_WAITING:
        return InputHint("none", "", _NOT_WAITING[status])
    if has_background_work:
        return InputHint("background", "", "Nobody waits for the user: work goes on in the background.")
    return InputHint("none", "", "The turn is still running.")


def last_hint(standing: Standing) -> JsonObject | None:
    """The event that says what a recorded run waits for; ``None`` where it waits for nothing."""
    waiting = standing.main.waiting
    return waiting.to_wire() if waiting else None


def _waiting(hint: Mapping[str, Any], has_background_work: bool, names: Mapping[str, str]) -> InputHint:
    node = str(hint.get("origin_node_logical_id") or "")
    who = label_of(node, str(hint.get("origin_node_name") or "") or node, names)
    wanted = hint.get("type", _WAIT_TYPE)
    # A kind of hint that is not known yet is shown by its wire name rather than taken for a message.
    told = "the user's message" if wanted == _WAIT_TYPE else f"{str(wanted).replace('_', ' ')!r}"
    rest = "; meanwhile work goes on in the background" if has_background_work else ""
    return InputHint("message", who, f"{who or 'The workflow'} waits for {told}{rest}.")
