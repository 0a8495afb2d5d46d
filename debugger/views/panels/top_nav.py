"""Navigation of the pages, user, help and view mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from itertools import groupby

import streamlit as st

from debugger.backends.base_url import host_of
from debugger.views import navigation, state
from debugger.views.auth.login_gate import page_base
from debugger.views.auth.permissions import current_user
from debugger.views.components.error_box import reporting
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Badge, Button, Item, Line, Link, Menu, Text, bar, bars
from debugger.views.confirmations import OpenQuestions
from debugger.views.navigation import ViewMode
from debugger.views.panels.glossary import glossary
from debugger.views.shortcuts import BUILT_IN, SHORTCUTS, Shortcut, ShortcutState, keys


@dataclass
class _HelpState:
    """State of the help with the keyboard shortcuts."""

    is_requested: bool = False
    """Whether it is drawn next."""


def top_nav(links: list[Link], of_page: Callable[[], list[Item]] | None) -> None:
    """Draw the navigation.

    Args:
        links: The way to each page.
        of_page: Draws what the page on view adds; what of it is in the bar.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="head"):
        overflow = [link.key for link in reversed(links) if not link.is_current]
        brand = Text("Workflow Debugger", look="strong", key="brand")
        more = Menu("pages", "Pages", [], icon=":material/menu:", shows="icon")
        pages: list[Item] = [brand, *links, more]
        items = of_page() if of_page is not None else []
        bars("head_bar", [Line("", pages, low=True, overflow=("brand", *overflow))])
        bar("head_end", [*_connection_badge(), *items, help_button()], low=True, width="content")
        account()
    help_dialog()


def _connection_badge() -> list[Item]:
    shown = navigation.connection_on_view()
    if shown is None:
        return []
    name, settings = shown
    if settings is None or not settings.base_url:
        return [Badge("not connected", ":material/cloud_off:")]
    host = host_of(settings.base_url)
    where = f"Connection {name} at {host}" if host else f"Connection {name}"
    label = settings.environment.strip() or name
    return [Badge(label, ":material/cloud:", settings.label_colour, help=where)]


def view_mode_switch() -> Button:
    """Return the button that changes the view mode."""
    navigation.follow_view_mode()
    is_demo = state.record(ViewMode).is_demo
    return Button(
        "skin",
        "Engineer" if is_demo else "Demo",
        change_view_mode,
        look="tertiary",
        help="All panes of the run" if is_demo else "Conversation and graph only",
        shortcut=keys("skin"),
    )


def help_button() -> Button:
    """Return the button that opens the help."""
    return Button(
        "help",
        "Help",
        open_help,
        look="tertiary",
        help="Keyboard shortcuts and glossary",
        shortcut=keys("help"),
    )


def help_dialog() -> None:
    """Draw the help after a request."""
    help_state = state.record(_HelpState)
    if help_state.is_requested and not state.record(OpenQuestions).is_open:
        help_state.is_requested = False
        _dialog()


@st.dialog("Help", width="medium", on_dismiss="rerun")
@reporting("The help")
def _dialog() -> None:
    glossary()
    st.markdown("##### Keyboard shortcuts")
    state.begin_widget(PLAIN_KEYS_KEY, state.record(ShortcutState).has_plain_keys)
    st.toggle(
        "Shortcuts without Ctrl",
        key=PLAIN_KEYS_KEY,
        on_change=allow_plain_keys,
        help="Switch them off where speech input or another aid types single keys",
    )
    groups = [
        list(group)
        for _, group in groupby([*SHORTCUTS.values(), *BUILT_IN], key=lambda shortcut: shortcut.group)
    ]
    left, right = st.columns(2, gap="medium")
    for place, group in enumerate(groups):
        with left if place < 2 else right:
            _group(group)
    st.caption("Keys that are typed into a field stay text. Tab reaches every control.")


def _group(group: list[Shortcut]) -> None:
    st.markdown(f"**{group[0].group}**")
    lines = [f"`{shortcut.keys}` {plain(shortcut.does)}" for shortcut in group]
    st.markdown("  \n".join(lines))


def account() -> None:
    """Draw the user with the sign-out button; nothing without login."""
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


PLAIN_KEYS_KEY = "has_plain_keys"
"""The switch of the shortcuts that are typed like text."""


def change_view_mode() -> None:
    """Switch between demo and engineer view.

    The run and the selection stay.
    """
    mode = state.record(ViewMode)
    mode.is_demo = not mode.is_demo


def open_help() -> None:
    """Show the keyboard shortcuts."""
    state.record(_HelpState).is_requested = True


def allow_plain_keys() -> None:
    """Let shortcuts without Ctrl work or not, as the switch says."""
    state.record(ShortcutState).has_plain_keys = bool(state.widget(PLAIN_KEYS_KEY))
