"""Message box, with suggested lines above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

from debugger.session.stepping import StepKind
from debugger.views import state
from debugger.views.auth.permissions import explain_denial
from debugger.views.components.factory import component

_LONGEST = 500_000
"""Characters of a message."""


_BOX = component("message_box", __package__, "message_box")


def message_box(
    key: str,
    placeholder: str,
    on_send: Callable[[str], None],
    *,
    on_step: Callable[[str, StepKind], None] | None = None,
    disabled: bool = False,
    offers: Sequence[str] | None = None,
    ghost: str = "",
    draft: str = "",
    turn: int | None = None,
    aria_label: str = "",
    shortcut: str | None = None,
) -> None:
    """Draw the box.

    Args:
        key: The widget's.
        placeholder: What the empty box says.
        on_send: Takes what a person has sent.
        on_step: Takes what a person has sent to be stepped, and the kind of step; ``None`` where nothing is.
        disabled: Whether nothing can be sent.
        offers: Lines that are sent with a click; their line is reserved while there are none, so that nothing
            jumps. ``None`` where there never are any.
        ghost: A text that the empty box shows, and takes over at Tab or Right; empty without one.
        draft: What the box is to hold, as a message that could not be sent; once for each time it changes.
        turn: The turn that has ended: then the box has the keyboard again, unless a person is at work
            elsewhere. ``None`` while no message is waited for.
        aria_label: Status of the run, for screen readers; read aloud when it changes.
        shortcut: The key that leads to the box, a letter.
    """
    reason = explain_denial(on_send)

    def send() -> None:
        sent = state.sent_by_browser(key, "sent")
        if not disabled and _is_message(sent):
            on_send(sent)

    def step() -> None:
        match state.sent_by_browser(key, "stepped"):
            case [text, kind] if not disabled and _is_message(text) and kind in get_args(StepKind):
                if on_step is not None:
                    on_step(text, kind)

    _BOX(
        key=key,
        data={
            "placeholder": reason or placeholder,
            "disabled": disabled or bool(reason),
            "offers": None if offers is None else list(offers),
            "ghost": ghost,
            "draft": draft,
            "turn": turn,
            "aria_label": aria_label,
            "shortcut": shortcut,
            "longest": _LONGEST,
            "steps": on_step is not None and not explain_denial(on_step),
        },
        on_sent_change=send,
        on_stepped_change=step,
    )


def _is_message(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and len(text) <= _LONGEST
