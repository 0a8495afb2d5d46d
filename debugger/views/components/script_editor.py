"""Text area for scripts that offers names at the caret."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from debugger.views import state
from debugger.views.auth.permissions import explain_denial
from debugger.views.components.factory import component

MAX_CHARACTERS = 500_000
_EDITOR = component("script_editor", __package__, "script_editor")


def script_editor(
    key: str,
    label: str,
    text: str,
    names: Sequence[tuple[str, str]],
    on_edit: Callable[[str], None],
    *,
    page: Hashable,
) -> None:
    """Draw the editor.

    Args:
        key: The widget's.
        label: Its description for screen readers.
        text: The text that it begins with.
        names: Names to insert, each with what it is the name of.
        on_edit: Takes the text, soon after it was changed.
        page: While it is equal, the editor keeps what was typed.
    """
    reason = explain_denial(on_edit)

    def edit() -> None:
        sent = sent_text(key)
        if sent is not None:
            on_edit(sent)

    _EDITOR(
        key=key,
        data={
            "label": label,
            "text": text,
            "names": [list(each) for each in names],
            "page": str(page),
            "disabled": bool(reason),
        },
        on_edited_change=edit,
    )


def sent_text(key: str) -> str | None:
    """Return the text that came with the running action, if it was changed.

    The callback of a button that takes the keyboard from the editor runs before that of the editor.
    """
    text = state.sent_by_browser(key, "edited")
    return text if isinstance(text, str) and len(text) <= MAX_CHARACTERS else None
