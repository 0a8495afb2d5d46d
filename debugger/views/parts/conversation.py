"""The conversation, and the box to answer in."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.bubbles import Bubble, folded
from debugger.views import commands, state
from debugger.views.parts.message_focus import message_focus
from debugger.views.parts.plain import count, plain
from debugger.views.reading import Reading

_HEIGHT = 240
_SUGGESTIONS_HEIGHT = 36
_AVATARS = {"agent": ":material/smart_toy:", "user": ":material/person:"}
_LONGEST_MESSAGE = 500_000
_MOST_BUBBLES = 80


def conversation(now: Reading) -> None:
    """Draw what was said."""
    with st.container(border=True, height=_HEIGHT, key="conversation"):
        if not now.bubbles:
            _empty(now)
        for group in folded(_latest(now.bubbles)):
            _group(group)
        if now.session.busy:
            reason = now.session.backend.capabilities.reason_against("live_events")
            st.caption(f":material/progress_activity: The workflow is working … {plain(reason or '')}")
    _suggestions(now)
    _message_box(now)
    message_focus(_last_turn(now) if _takes_message(now) else None)


def _last_turn(now: Reading) -> int:
    return now.turns[-1].number if now.turns else 0


def _empty(now: Reading) -> None:
    with st.container(height="stretch", horizontal_alignment="center", vertical_alignment="center"):
        if now.session.busy:
            return
        st.caption("What user and agent say appears here.", width="content")
        if now.session.status == "not_started":
            st.button(
                "Start the run", key="start_here", icon=":material/play_arrow:", on_click=commands.start
            )


def _latest(bubbles: list[Bubble]) -> list[Bubble]:
    """The last ones of a long conversation, and all of it on demand."""
    earlier = len(bubbles) - _MOST_BUBBLES
    if earlier <= 0:
        return bubbles
    is_whole = st.toggle(f"Show {count(earlier, 'earlier message')}", key="whole_conversation")
    return bubbles if is_whole else bubbles[earlier:]


def _group(group: list[Bubble]) -> None:
    if len(group) == 1:
        _bubble(group[0])
        return
    with st.expander(
        count(len(group), "warning"), icon=":material/warning:", key=f"warnings_{group[0].event_index}"
    ):
        for bubble in group:
            _bubble(bubble)


def _bubble(bubble: Bubble) -> None:
    if bubble.role in ("warning", "error"):
        _note(bubble)
        return
    with st.chat_message(bubble.role, avatar=_AVATARS[bubble.role]):
        st.text(bubble.text)  # never Markdown: a picture in it would be loaded from where it points
        if bubble.node_name and bubble.role == "agent":
            where = ", background" if bubble.is_background else ""
            st.caption(plain(f"{bubble.node_name} · turn {bubble.turn_number}{where}"))


def _note(bubble: Bubble) -> None:
    if bubble.role == "warning":
        st.warning(plain(bubble.text), icon=":material/warning:")
    else:
        st.error(plain(bubble.text), icon=":material/dangerous:")


def _suggestions(now: Reading) -> None:
    """Draw them on a line of their own, which is kept while there are none so that nothing below it jumps."""
    if not now.is_scripted:
        return
    with st.container(
        horizontal=True, gap="xxsmall", key="suggestions", height=_SUGGESTIONS_HEIGHT, border=False
    ):
        for place, line in enumerate(now.suggestions if now.session.busy or _takes_message(now) else []):
            st.button(
                plain(line),
                key=f"suggestion_{place}",
                on_click=commands.send,
                args=(line,),
                disabled=now.session.busy,
                help=plain(line) if len(now.suggestions) > 1 else None,
            )


def _message_box(now: Reading) -> None:
    st.chat_input(
        now.hint.sentence if not now.session.busy else "The turn is still running.",
        key=commands.MESSAGE_KEY,
        max_chars=_LONGEST_MESSAGE,
        disabled=not _takes_message(now),
        on_submit=_submit,
    )


def _takes_message(now: Reading) -> bool:
    return not now.session.busy and (now.hint.kind == "message" or now.session.status == "not_started")


def _submit() -> None:
    commands.send(state.widget(commands.MESSAGE_KEY) or "")
