"""Question what to do where another user was faster."""

from __future__ import annotations

import streamlit as st

from debugger.views import state
from debugger.views.components.error_box import show_unexpected_errors
from debugger.views.components.markdown import plain
from debugger.views.confirmations import OpenQuestions
from debugger.views.edits import change_words, go_on_editing, keep_theirs, replace_theirs

_HEIGHT = 220


@st.dialog("Changed meanwhile", width="large", icon=":material/merge_type:", on_dismiss=go_on_editing)
@show_unexpected_errors("The question")
def edit_conflict_dialog() -> None:
    """Draw the question on an edit that another user has overtaken: keep theirs, replace it, or edit on.

    Both texts can be seen; one that was deleted meanwhile is empty. Without such a question the dialog
    closes.
    """
    question = state.record(OpenQuestions).edit
    if question is None or question.error is None:
        st.rerun()  # only that closes a dialog
    error = question.error
    if error.present is None:
        words = f"{question.subject} was deleted while you edited"
    else:
        words = f"{change_words(question.subject, error.changed_by, error.changed_at)} while you edited"
    st.markdown(f"{plain(words)}. Nothing was stored.")
    theirs = "" if error.present is None else question.words(error.present)
    with st.expander("See both", type="compact", key="edit_conflict_both"):
        for title, text in (("Stored now", theirs), ("Yours", question.mine)):
            st.caption(title)
            st.code(text or "(empty)", language=None, wrap_lines=True, height=_HEIGHT)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Keep theirs", key="keep_theirs", icon=":material/undo:", on_click=keep_theirs)
        st.button(
            "Replace with mine",
            key="replace_theirs",
            type="primary",
            icon=":material/save:",
            on_click=replace_theirs,
        )
        st.button("Continue editing", key="go_on_editing", type="tertiary", on_click=go_on_editing)
