"""The comments on one thing, and how it was rated."""

from __future__ import annotations

from typing import Final

import streamlit as st

from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, Comment, RatingValue, RunNotes, Target
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, on_change, on_click, requires
from debugger.views.components.markdown import plain
from debugger.views.panels import note_commands

_WORDS: Final[dict[RatingValue, str]] = {
    "down": ":material/thumb_down: Bad",
    "up": ":material/thumb_up: Good",
    "strong_up": ":material/rewarded_ads: Great",
}
_PLAIN_WORDS: Final[dict[RatingValue, str]] = {"down": "bad", "up": "good", "strong_up": "great"}
_BOX_HEIGHT = 80


def remarks(run_id: str, target: Target, notes: RunNotes) -> None:
    """Draw them, with the ways to add one's own."""
    key = f"{run_id}_{target.kind}_{target.key}"
    _rating(run_id, target, notes.ratings_of(target), key)
    for comment in notes.comments_on(target):
        _comment(run_id, comment)
    box = f"comment_{key}"
    st.text_area(
        "Comment",
        key=box,
        height=_BOX_HEIGHT,
        max_chars=MAX_COMMENT_CHARACTERS,
        placeholder="What did you see?",
        label_visibility="collapsed",
        disabled=bool(denied(_say)),
    )
    st.button(
        "Comment",
        key="add_comment",
        icon=":material/add_comment:",
        args=(run_id, target, box),
        **on_click(_say),
    )


def _rating(run_id: str, target: Target, given: dict[str, RatingValue], key: str) -> None:
    author = note_commands.author()
    widget = f"rating_{key}"
    state.set_widget(widget, given.get(author))
    st.segmented_control(
        "Your rating",
        list(_WORDS),
        key=widget,
        format_func=_WORDS.__getitem__,
        args=(run_id, target, widget),
        **on_change(_rated, help="Press the chosen one again to take it back"),
    )
    others = [f"{name}: {_PLAIN_WORDS[value]}" for name, value in given.items() if name != author]
    if others:
        st.caption(plain(", ".join(others)))


@command
@requires(Role.REVIEW)
def _rated(run_id: str, target: Target, widget: str) -> None:
    note_commands.rate(run_id, target, state.widget(widget))


def _comment(run_id: str, comment: Comment) -> None:
    with st.container(border=True, gap="xxsmall", key=comment.logical_id):
        st.text(comment.content)  # never Markdown: it would load what it points to
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            when = comment.created_at.replace("T", " ")[:16]
            st.caption(plain(f"{comment.author} · {when} UTC"), width="content")
            st.space("stretch")
            st.button(
                "Delete",
                key=f"delete_{comment.logical_id}",
                icon=":material/delete:",
                type="tertiary",
                args=(run_id, comment.logical_id),
                **on_click(
                    note_commands.delete_comment, disabled=not note_commands.may_delete(comment.author)
                ),
            )


@command
@requires(Role.REVIEW)
def _say(run_id: str, target: Target, box: str) -> None:
    note_commands.comment(run_id, target, state.widget(box) or "")
    if state.page().error is None:
        state.give_widget(box, "")
