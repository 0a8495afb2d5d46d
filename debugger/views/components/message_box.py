"""Message box, with suggested lines above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

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
    suggestion: str = "",
    draft: str = "",
    place: tuple[str, str] = ("", ""),
    takes: Callable[[Any], bool] = lambda place: True,
    on_refuse: Callable[[Any, str], None] = lambda place, text: None,
    is_running: bool = False,
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
        suggestion: A text that the empty box shows, and takes over at Tab or Right; empty without one.
        draft: What the box is to hold, as a message that could not be sent; once for each time it changes.
        place: What the text that is typed belongs to, and the visit during which that may get another name.
            The box changes its text with both, and has it again when one of them is back.
        takes: Returns whether a message is for what is on view, from the place that the browser names.
        on_refuse: Takes place and text of a message that cannot be sent, so that it is not lost.
        is_running: Whether it is disabled only until a turn has ended: it takes what is typed all the same.
        turn: The turn that has ended: then the box has the keyboard again, unless a person is at work
            elsewhere. ``None`` while no message is waited for.
        aria_label: Status of the run, for screen readers; read aloud when it changes.
        shortcut: The key that leads to the box, a letter.
    """
    reason = explain_denial(on_send)

    def send() -> None:
        """Take what was sent; refuse it while the box is disabled, or for a place that is not on view.

        What is no message, as a blank or too long text, is ignored.
        """
        match state.sent_by_browser(key, "sent"):
            case [text, sent_from] if _is_message(text):
                if not disabled and takes(sent_from):
                    on_send(text)
                else:
                    on_refuse(sent_from, text)

    def step() -> None:
        """Take what was sent to be stepped; refuse it without steps, while disabled, or for another place.

        What is no message or no kind of step is ignored.
        """
        match state.sent_by_browser(key, "stepped"):
            case [text, sent_from, kind] if _is_message(text) and kind in get_args(StepKind):
                if on_step is not None and not disabled and takes(sent_from):
                    on_step(text, kind)
                else:
                    on_refuse(sent_from, text)

    _BOX(
        key=key,
        data={
            "placeholder": reason or placeholder,
            "disabled": disabled or bool(reason),
            "offers": None if offers is None else list(offers),
            "suggestion": suggestion,
            "draft": draft,
            "place": list(place),
            "is_running": is_running,
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
