"""The head: the way to each page, what works on every page, and what the page on view adds."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from debugger.backends.base_url import host_of
from debugger.views import navigation, state
from debugger.views.components.toolbar import Badge, Button, Item, Link, Space, bar
from debugger.views.panels import skin_commands
from debugger.views.panels.account import account
from debugger.views.panels.help import help_button, help_dialog
from debugger.views.shortcuts import keys


def head(links: list[Link], of_page: Callable[[], list[Item]] | None) -> None:
    """Draw it.

    Args:
        links: The way to each page.
        of_page: Draws what the page on view adds; what of it stands in the bar.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="head"):
        items = of_page() if of_page is not None else []
        bar("head_bar", [*links, Space(), *_connection_badge(), *items, help_button()], low=True)
        account()
    help_dialog()


def _connection_badge() -> list[Item]:
    """Return the label of the hosted backend's environment; nothing for another backend."""
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


def skin_switch() -> Button:
    """The button that changes the skin: it names the one to change to."""
    navigation.follow_skin()
    is_demo = state.page().is_demo
    return Button(
        "skin",
        "Engineer view" if is_demo else "Demo view",
        skin_commands.change_skin,
        icon=":material/bug_report:" if is_demo else ":material/co_present:",
        look="tertiary",
        help="Everything there is to see of the run" if is_demo else "The conversation and the graph alone",
        shortcut=keys("skin"),
    )
