"""The signed-in user in the head of the page, and the button that signs out."""

from __future__ import annotations

from html import escape

import streamlit as st

from debugger.views.auth.access import page_base
from debugger.views.auth.identity import current_user


def account() -> None:
    """Draw the user's name and role with the button; nothing without a login."""
    user = current_user()
    if user.is_local:
        return
    name, role = escape(user.name), escape(user.role or "no role")
    # A form, so that the request has an origin to check and the browser drops its cookies with the answer.
    st.html(
        f'<form class="account" method="post" action="{page_base()}/logout">'
        f'<span title="Signed in as {name}">{name}</span><span class="role">{role}</span>'
        "<button>Sign out</button></form>",
        width="content",
    )
