"""The question before the first turn that goes to a production environment."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from debugger.backends.base_url import host_of, origin_of
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.components.markdown import plain
from debugger.views.connections import owner
from debugger.views.state import ProductionRequest


def confirm_production(session: DebugSession, command: Callable[[], None], text: str = "") -> bool:
    """Return whether a turn of a session may be sent; ask the user where it is the first to production.

    Args:
        session: The session.
        command: Sends it; called again once the user has agreed.
        text: The message in it, which is put back into the box if the user declines.
    """
    page = state.page()
    settings = page.hosted_settings
    if session.backend is not page.hosted_backend or not settings.is_production:
        return True
    origin = origin_of(settings.base_url)
    if (page.connection_name, origin) in owner().production_origins:
        return True
    host = host_of(settings.base_url)
    page.production_request = ProductionRequest(page.connection_name, host, origin, command, text)
    return False


def production_dialog() -> None:
    """Draw the question while it is open."""
    if state.page().production_request is not None:
        _dialog()


def _decline() -> None:
    page = state.page()
    request, page.production_request = page.production_request, None
    if request is not None and request.text:
        state.set_widget(state.DRAFT_KEY, request.text)


def _agree() -> None:
    page = state.page()
    request, page.production_request = page.production_request, None
    if request is not None:
        owner().production_origins.add((request.connection_name, request.origin))
        request.command()


@st.dialog("Send to production?", icon=":material/warning:", on_dismiss=_decline)
def _dialog() -> None:
    request = state.page().production_request
    if request is None:
        st.rerun()  # only that closes a dialog
    st.markdown(
        f"This sends to the production environment **{plain(request.connection_name)}** at "
        f"**{plain(request.host)}**. Send?"
    )
    st.caption("You are asked once until the browser is closed.")
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Send", key="send_to_production", type="primary", icon=":material/send:", on_click=_agree)
        st.button("Do not send", key="keep_from_production", on_click=_decline)
