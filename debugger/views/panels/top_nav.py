"""Navigation of the pages, user, help and view mode."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from debugger.backends.base_url import host_of
from debugger.views import navigation, state
from debugger.views.auth.login_gate import page_base
from debugger.views.auth.permissions import current_user
from debugger.views.components.toolbar import Badge, Button, Item, Line, Link, Menu, Text, bar, bars
from debugger.views.help_links import help_parameters
from debugger.views.navigation import ViewMode
from debugger.views.shortcuts import keys
from debugger.views.url_state import BACKEND_NAMES


def top_nav(links: list[Link], help: Button, of_page: Callable[[], list[Item]] | None) -> None:
    """Draw the navigation.

    Args:
        links: The way to each page.
        help: The button that opens the help.
        of_page: Draws what the page on view adds; what of it is in the bar.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="head"):
        overflow = [link.key for link in reversed(links) if not link.is_current]
        brand = Text("Workflow Debugger", look="strong", key="brand")
        more = Menu("pages", "Pages", [], icon=":material/menu:", shows="icon")
        pages: list[Item] = [brand, *links, more]
        items = of_page() if of_page is not None else []
        bars("head_bar", [Line("", pages, low=True, overflow=("brand", *overflow))])
        bar("head_end", [_connection(), *items, help], low=True, width="content")
        account()


def _connection() -> Item:
    """Return the name of the connection, which no other part of the head names.

    For a backend without connections it is the backend's name; without known settings or an address it is a
    badge that there is no connection.
    """
    shown = navigation.connection_on_view()
    if not isinstance(shown, tuple):
        return Text(BACKEND_NAMES[shown], key="connection", help="The page Connection changes it")
    name, settings = shown
    if settings is None or not settings.base_url:
        return Badge("not connected", ":material/cloud_off:")
    host = host_of(settings.base_url)
    where = f"Connection {name} at {host}" if host else f"Connection {name}"
    label = settings.environment.strip() or name
    return Badge(label, ":material/cloud:", settings.label_colour, help=where)


def view_mode_switch() -> Button:
    """Return the button that changes the view mode; it names the other one.

    First the view mode of the address is applied where that differs.
    """
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


def help_button(place: str, *, is_current: bool) -> Button:
    """Return the button that opens the help.

    Args:
        place: The place of the help that explains the page on view.
        is_current: Whether the help is on view.
    """
    return Button(
        "help",
        "Help",
        open_help,
        (place,),
        look="tertiary",
        help="Guides, keys, settings and glossary",
        shortcut=keys("help"),
        is_current=is_current,
    )


def account() -> None:
    """Draw the user with the sign-out button; nothing without login.

    The button sends a form to the path `/logout` of the page.
    """
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


def change_view_mode() -> None:
    """Switch between demo and engineer view.

    The run and the selection stay.
    """
    mode = state.record(ViewMode)
    mode.is_demo = not mode.is_demo


def open_help(place: str) -> None:
    """Go to a place of the help."""
    navigation.go_to("help", help_parameters(place))
