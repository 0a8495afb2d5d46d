"""Notes on the run: star, tags, comments and ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from debugger.errors import DebuggerError, ForbiddenError
from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, Comment, RatingValue, RunLabels, RunNotes, Target
from debugger.store import Role
from debugger.store.edited_tables import Stored
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth import permissions
from debugger.views.auth.permissions import explain_denial, may, on_change, on_click
from debugger.views.backends import CurrentBackend, local_notes
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import plain
from debugger.views.components.text_box import text_box
from debugger.views.edits import Place, begin_box, forget_edits, show_change, store_edit
from debugger.views.run_view import RunView
from debugger.views.times import shown_time, zone_name

_SUBJECT_KEY = "notes_about"
_AUTHOR_KEY = "notes_author"


@dataclass
class _Author:
    """The person who comments and rates in this tab."""

    name: str = ""
    """The name; empty means whom the settings name."""


@dataclass
class ShownLabels:
    """The stored tags that the editor of a run has last shown."""

    run_id: str = ""
    tags: Sequence[str] = ()


def notes_tab(view: RunView) -> None:
    """Draw the notes.

    They are the star and the author's name, tags and note, and comments with ratings. Before the run is
    stored a caption is drawn; where the notes cannot be read, the error.
    """
    run_id = view.session.run_id
    if run_id is None:
        st.caption("A run can be starred, tagged, commented and rated here once it has started.")
        return
    try:
        notes = local_notes().of(run_id)
    except DebuggerError as error:
        show_error(error)
        return
    _head(run_id, notes)
    marks_form(run_id, RunLabels(starred=notes.starred, tags=notes.tags, note=notes.note))
    _about(view, run_id, notes)
    if state.record(CurrentBackend).name == "hosted":
        st.caption("Notes stay on this machine; they are not sent to the API.")


def _head(run_id: str, notes: RunNotes) -> None:
    """Draw the button that stars the run, and the box of the author's name.

    Sets the session key of the box to the author. A press writes the local store, an edit this tab's state; a
    signed-in user cannot edit the name.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="notes_head"):
        st.button(
            "Unstar the run" if notes.starred else "Star the run",
            key="star_run",
            icon=":material/star:",
            type="secondary",
            args=([run_id],),
            kwargs={"starred": not notes.starred},
            **on_click(star, help="Starred runs are found with “Starred only” on the page Runs"),
        )
        st.space("stretch")
        state.set_widget(_AUTHOR_KEY, author())
        st.text_input(
            "Your name",
            key=_AUTHOR_KEY,
            icon=":material/person:",
            max_chars=80,
            width=140,
            **on_change(
                _author_changed,
                disabled=not permissions.current_user().is_local,
                help="Written at your comments and ratings",
            ),
        )


@action(role=Role.REVIEW)
def _author_changed() -> None:
    call_author(state.widget(_AUTHOR_KEY) or "")


def _about(view: RunView, run_id: str, notes: RunNotes) -> None:
    """Draw the choice of run, turn or event, with numbers of comments, and the comments on the chosen one.

    Sets the session key of the choice to the run where it names what is not offered.
    """
    targets = _targets(view)

    def label(name: str) -> str:
        words, target = targets[name]
        number = len(notes.comments_on(target))
        return f"{words} · {number}" if number else words

    if state.widget(_SUBJECT_KEY) not in targets:
        state.set_widget(_SUBJECT_KEY, "Run")
    subject = st.segmented_control(
        "Comments and ratings of",
        list(targets),
        key=_SUBJECT_KEY,
        required=True,
        format_func=label,
        width="stretch",
    )
    comments_on(run_id, targets[subject or "Run"][1], notes)


def _targets(view: RunView) -> dict[str, tuple[str, Target]]:
    """Return what can be commented on, by name, each with its words: the run, the turn and the event.

    The turn is that at the cursor, else the last. There is no event without a cursor or an id of the event,
    and only the run before any event.
    """
    targets = {"Run": ("The run", Target())}
    if not view.rows:
        return targets
    index = view.event
    row = view.rows[-1 if index is None else index]
    targets["Turn"] = (f"Turn {row.turn_number}", Target.turn(row.turn_number))
    logical_id = view.turns[row.place].events[row.position].logical_id
    if index is not None and logical_id:
        targets["Event"] = (f"Event {index}", Target.event(logical_id))
    return targets


_NOTE_HEIGHT = 90


def marks_form(run_id: str, mark: RunLabels) -> None:
    """Draw the editor; each change is stored at once.

    Args:
        run_id: The run.
        mark: What it has.
    """
    tags_key = f"tags_{run_id}"
    known = known_tags()
    state.begin_widget(tags_key, mark.tags)
    if set(state.widget(tags_key)) != set(mark.tags):  # another user's since, or refused
        state.set_widget(tags_key, mark.tags)
    st.multiselect(
        "Tags",
        sorted({*mark.tags, *known}),
        key=tags_key,
        accept_new_options=True,
        placeholder="Choose or type a tag",
        args=(run_id, tags_key),
        **on_change(_tags_changed),
    )
    # Only now: a drawing that was interrupted shows the same once more.
    state.replace_record(ShownLabels(run_id, mark.tags))
    try:
        _note_box(run_id, local_notes().note(run_id))
    except DebuggerError as error:
        show_error(error)


def _note_box(run_id: str, stored: Stored[str]) -> None:
    """Draw the note; what another user has stored since it was drawn first is below the box.

    Also a text that differs from the stored one is followed by that one. An edit is written to the local
    store.
    """
    key, place = f"note_{run_id}", _note_place(run_id)
    is_changed = begin_box(key, place, stored.content, stored.revision)
    text_box(
        "Note",
        key,
        height=_NOTE_HEIGHT,
        max_chars=5_000,
        placeholder="What this run is for, or what it shows",
        args=(run_id, key),
        **on_change(_note_changed),
    )
    if is_changed:
        show_change("The note", key, place, stored.content, stored)
    elif (state.widget(key) or "").strip() != stored.content.strip():
        st.caption("The text in the box is not stored. The stored note is:")
        st.text(stored.content or "(empty)")  # never Markdown, as a comment


def _note_place(run_id: str) -> Place:
    return "note", run_id


def _shown_labels(run_id: str) -> ShownLabels:
    shown = state.record(ShownLabels)
    return shown if shown.run_id == run_id else ShownLabels(run_id)


def forget_labels() -> None:
    """Drop the tags that the editor has last shown, and an edit that waits for an answer."""
    state.replace_record(ShownLabels())
    forget_edits()


def known_tags() -> list[str]:
    """Return every tag, the most used first; none where the store does not answer."""
    try:
        return local_notes().tags()
    except DebuggerError:
        return []


@action(role=Role.REVIEW)
def _tags_changed(run_id: str, key: str) -> None:
    shown, chosen = _shown_labels(run_id), state.widget(key)
    local_notes().change_tags([run_id], set(chosen) - set(shown.tags), set(shown.tags) - set(chosen))
    shown.tags = chosen


@action(role=Role.REVIEW)
def _note_changed(run_id: str, key: str) -> None:
    """Store the typed note, without blanks around it, in the local store.

    Where another user was faster, the user is asked, and may take over theirs. An error is kept in
    `LastAction`.
    """
    note = (state.widget(key) or "").strip()
    store_edit(
        _note_place(run_id),
        Role.REVIEW,
        lambda expected: local_notes().write(run_id, note, by=author(), expected=expected),
        subject="The note",
        mine=note,
        keep_theirs=lambda theirs: state.set_widget_from_callback(key, theirs or ""),
    )


_WORDS: Final[dict[RatingValue, str]] = {
    "down": ":material/thumb_down: Bad",
    "up": ":material/thumb_up: Good",
    "strong_up": ":material/rewarded_ads: Great",
}
_PLAIN_WORDS: Final[dict[RatingValue, str]] = {"down": "bad", "up": "good", "strong_up": "great"}
_BOX_HEIGHT = 80


def comments_on(run_id: str, target: Target, notes: RunNotes) -> None:
    """Draw ratings and comments on a target, with the controls to add one's own.

    A rating or a comment is written to the local store, a deletion too; the controls are disabled for a user
    without the role to review.
    """
    key = f"{run_id}_{target.kind}_{target.key}"
    _rating(run_id, target, notes.ratings_of(target), key)
    for comment in notes.comments_on(target):
        _comment(run_id, comment)
    box = f"comment_{key}"
    text_box(
        "Comment",
        box,
        height=_BOX_HEIGHT,
        max_chars=MAX_COMMENT_CHARACTERS,
        placeholder="What did you see?",
        label_visibility="collapsed",
        disabled=bool(explain_denial(_say)),
    )
    st.button(
        "Comment",
        key="add_comment",
        icon=":material/add_comment:",
        args=(run_id, target, box),
        **on_click(_say),
    )


def _rating(run_id: str, target: Target, ratings: dict[str, RatingValue], key: str) -> None:
    """Draw the choice of the author's own rating, and the ratings of others in a caption, if any.

    Sets its session key to the stored rating. A change writes the local store; the chosen one again removes
    it.
    """
    own_name = author()
    widget = f"rating_{key}"
    state.set_widget(widget, ratings.get(own_name))
    st.segmented_control(
        "Your rating",
        list(_WORDS),
        key=widget,
        format_func=_WORDS.__getitem__,
        args=(run_id, target, widget),
        **on_change(_rated, help="Press the chosen one again to remove your rating"),
    )
    others = [f"{name}: {_PLAIN_WORDS[value]}" for name, value in ratings.items() if name != own_name]
    if others:
        st.caption(plain(", ".join(others)))


@action(role=Role.REVIEW)
def _rated(run_id: str, target: Target, widget: str) -> None:
    local_notes().rate(run_id, target, author(), state.widget(widget))


def _comment(run_id: str, comment: Comment) -> None:
    """Draw a comment as plain text, with author, time and the button that deletes it.

    The button is disabled where the user may not delete it.
    """
    with st.container(border=True, gap="xxsmall", key=f"comment_box_{comment.logical_id}"):
        st.text(comment.content)  # never Markdown: it would load what it points to
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            when = shown_time(comment.created_at, seconds=False)
            st.caption(plain(f"{comment.author} · {when} {zone_name()}"), width="content")
            st.space("stretch")
            st.button(
                "Delete",
                key=f"delete_comment_{comment.logical_id}",
                icon=":material/delete:",
                type="tertiary",
                args=(run_id, comment.logical_id),
                **on_click(delete_comment, disabled=not may_delete(comment.author)),
            )


@action(role=Role.REVIEW)
def _say(run_id: str, target: Target, box: str) -> None:
    local_notes().comment(run_id, target, author(), state.widget(box) or "")
    state.set_widget_from_callback(box, "")


def author() -> str:
    """Return the author of comments and ratings.

    It is the signed-in user, or the name that a local user typed.
    """
    user = permissions.current_user()
    return (state.record(_Author).name or user.name) if user.is_local else user.name


def may_delete(author_of_comment: str) -> bool:
    """Return whether the user may delete a comment.

    Users may delete their own, administrators any.
    """
    return may(Role.ADMIN) or author_of_comment == author()


@action(role=Role.REVIEW)
def call_author(name: str) -> None:
    """Set the author's name in this tab.

    An empty one restores that of the settings; a long one is cut to 80 characters. For a signed-in user,
    whose name is known, a `ForbiddenError` is kept in `LastAction`.
    """
    if not permissions.current_user().is_local:
        raise ForbiddenError(
            f"Your notes are signed {permissions.current_user().name}; a signed-in user cannot change it."
        )
    state.record(_Author).name = " ".join(name.split())[:80]


@action(role=Role.REVIEW)
def star(run_ids: Sequence[str], *, starred: bool) -> None:
    """Give runs a star, or take it."""
    for run_id in run_ids:
        local_notes().star(run_id, starred=starred)


@action(role=Role.REVIEW)
def delete_comment(run_id: str, logical_id: str) -> None:
    """Take a comment away.

    It is deleted from the local store. For another user's comment and a user who is no administrator, a
    `ForbiddenError` is kept in `LastAction`.
    """
    comments = local_notes().of(run_id).comments
    if not all(may_delete(comment.author) for comment in comments if comment.logical_id == logical_id):
        raise ForbiddenError("This comment is another user's.", advice="Ask an administrator to delete it.")
    local_notes().delete_comment(run_id, logical_id)
