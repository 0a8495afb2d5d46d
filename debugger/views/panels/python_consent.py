"""Dialog, banner and list of consents to unsandboxed Python."""

from __future__ import annotations

import re
from contextlib import suppress

import streamlit as st

from debugger.backends.embedded.python_consents import PythonUse
from debugger.errors import DebuggerError
from debugger.views import confirmations, refresh, state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import current_backend
from debugger.views.components.error_box import show_unexpected_errors
from debugger.views.components.markdown import plain
from debugger.views.confirmations import OpenQuestions
from debugger.views.run_view import RunView
from debugger.views.times import shown_time, zone_name

_CODE_HEIGHT = 300
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that could make the code look like other code than runs."""


@st.dialog(
    "Run this workflow's Python without a sandbox on this machine?",
    width="large",
    icon=":material/warning:",
    on_dismiss=confirmations.dismiss,
)
@show_unexpected_errors("The question")
def python_dialog() -> None:
    """Draw the question whether Python may run without a sandbox.

    It shows the code, with invisible characters written as escapes, and what happens if it is refused. One
    button stores the consent, the other declines; both run the command that waits. Without a question the
    page is rerun, which closes the dialog.
    """
    request = state.record(OpenQuestions).python
    if request is None:
        st.rerun()  # only that closes a dialog
    status = request.use.status
    st.markdown(
        "This code would run as your user: it can read and change your files and use the network. Allow it "
        "only if you have read it and trust its author."
    )
    st.caption(plain(f"{status.reason} {status.advice}"))
    with st.container(height=_CODE_HEIGHT, border=True, key="python_code"):
        for function in dict.fromkeys(request.use.functions):
            st.markdown(f"**{plain(function.tool or 'A tool without a name')}** in {plain(function.place)}")
            code = _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", function.code)
            st.code(code or "(no code)", language="python", wrap_lines=True)
    st.caption(
        "The answer holds for this version as long as its code stays the same, and can be revoked. "
        f"If you do not run it: {plain(_instead(request.use))}"
    )
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Run without a sandbox",
            key="allow_python",
            icon=":material/lock_open:",
            on_click=confirmations.allow,
        )
        st.button("Do not run it", key="decline_python", type="primary", on_click=confirmations.decline)


def python_banner(view: RunView) -> None:
    """Draw how the workflow's Python runs, unless it is sandboxed.

    The button to revoke or review it follows. Nothing is drawn, too, where the version has no Python, cannot
    be read, or runs elsewhere.
    """
    try:
        use = confirmations.python_use(view.session)
    except DebuggerError:
        return  # the turn itself ends in the error
    if use is None or not use.functions:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="python_banner"):
        if use.status.mode == "unsafe":
            st.badge("Python without a sandbox", icon=":material/lock_open:", color="red")
            shown = use.status.reason
        else:
            st.badge("Python is refused here", icon=":material/block:", color="orange")
            shown = f"{_instead(use)} {use.status.reason}"
        st.caption(plain(shown), width="stretch", help=plain(use.status.advice) or None)
        _action(use)


def _action(use: PythonUse) -> None:
    """Draw the button that revokes a consent, or else the one that opens the code for review.

    The second needs that a consent may be given; where it may not, nothing is drawn.
    """
    if use.has_consent:
        st.button(
            "Revoke",
            key="take_back_python",
            icon=":material/undo:",
            on_click=refresh.refreshing("bar", confirmations.take_back),
            args=(use.workflow_id, use.version_number),
            help="From the next turn on this version's Python is refused again",
        )
    elif use.may_consent:
        st.button(
            "Review the code",
            key="review_python",
            icon=":material/code:",
            on_click=refresh.refreshing("bar", confirmations.review),
            args=(use,),
            help="Read it, and decide whether it may run without a sandbox",
        )


def _instead(use: PythonUse) -> str:
    """Return what the tools do if the Python is refused: answer with recorded examples, in part, or fail.

    Without functions it is that they answer.
    """
    tools = {function.tool for function in use.functions}
    if tools <= use.recorded_tools:
        return "Tools answer with recorded examples."
    if tools & use.recorded_tools:
        return "Tools answer with recorded examples where the workflow's script has some, and fail otherwise."
    return "The calls of its tools fail."


def python_consents() -> None:
    """Draw the versions with a consent, for the page Connection.

    Each has a button that removes the consent. Nothing is drawn without any. Where the workflows cannot be
    listed, a consent shows the id instead of the name.
    """
    found = confirmations.consents()
    if not found:
        return
    names: dict[str, str] = {}
    with suppress(DebuggerError):  # the page says why elsewhere; a consent can be removed all the same
        workflows = state.record(BackendCache).ask(("workflows",), lambda: current_backend().workflows())
        names = {workflow.id: workflow.label for workflow in workflows}
    with st.container(border=True, gap="xsmall", key="python_consents"):
        st.markdown("##### Python without a sandbox")
        st.caption("These versions may run their Python without a sandbox on this machine.")
        for consent in found:
            when = shown_time(consent.consented_at, seconds=False)
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                name = names.get(consent.workflow_id, consent.workflow_id)
                st.text(f"{name} · version {consent.version_number}", width="stretch")
                st.caption(f"{plain(consent.person)} · {when} {plain(zone_name())}", width="content")
                st.button(
                    "Revoke",
                    key=f"take_back_{consent.workflow_id}_{consent.version_number}",
                    icon=":material/undo:",
                    on_click=confirmations.take_back,
                    args=(consent.workflow_id, consent.version_number),
                )
