"""Frame of every page: title, navigation, style."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, assert_never, get_args

import streamlit as st

from debugger.views import navigation, state
from debugger.views.auth.login_page import MARK
from debugger.views.auth.permissions import current_user
from debugger.views.components.error_box import show_unexpected_errors
from debugger.views.components.toolbar import Item, Link
from debugger.views.confirmations import OpenQuestions, production_dialog
from debugger.views.navigation import PageName
from debugger.views.pages import compare, connection, debug, help, replay, review, runs, style, suites
from debugger.views.panels.edit_conflict import edit_conflict_dialog
from debugger.views.panels.python_consent import python_dialog
from debugger.views.panels.top_nav import help_button, top_nav
from debugger.views.problem_report import follow_log
from debugger.views.replicas import warn_without_sticky_sessions
from debugger.views.state import LastAction, PageLinks


@dataclass(frozen=True)
class View:
    """One page of the app."""

    name: PageName
    """Its path in the address, and how other pages link to it."""
    title: str
    icon: str
    render: Callable[[], None]
    help: str
    """The place of the help that explains it."""
    head: Callable[[], list[Item]] | None = None
    """Draws what the page adds to the head; what of it is in the bar."""


def _view_of(name: PageName) -> View:
    """Return all that is known of a page but its path.

    Raises `AssertionError` for a name that is no page.
    """
    match name:
        case "debug":
            return View(name, "Debug", ":material/bug_report:", debug.render, "stepping", debug.head)
        case "runs":
            return View(name, "Runs", ":material/history:", runs.render, "pages#runs")
        case "review":
            return View(name, "Review", ":material/rate_review:", review.render, "review")
        case "suites":
            return View(name, "Suites", ":material/checklist:", suites.render, "scenarios#on-the-page")
        case "compare":
            return View(name, "Compare", ":material/compare_arrows:", compare.render, "forks#compare")
        case "replay":
            return View(name, "Replay", ":material/replay:", replay.render, "replay#on-the-page")
        case "connection":
            return View(name, "Connection", ":material/cable:", connection.render, "hosted")
        case "help":
            return View(name, "Help", ":material/help:", help.render, "")
        case "style":
            return View(name, "Style", ":material/palette:", style.render, "")
        case _:
            assert_never(name)


HELP = _view_of("help")
"""It is at the end of the head."""
STYLE = _view_of("style")
"""It is opened by its address alone."""
REPLAY = _view_of("replay")
"""It is opened from Runs, and by its address."""
VIEWS = tuple(
    _view_of(name) for name in get_args(PageName) if name not in (HELP.name, STYLE.name, REPLAY.name)
)
"""In the order of the navigation."""
PAGES = (*VIEWS, REPLAY, HELP, STYLE)

_STYLE = Path(__file__).with_name("style.css")
_OBJECTS, _YOUNG, _OLD = 50_000, 20, 20
"""After how many new objects the collector looks at them, and after how many looks at older ones."""


def run(first: PageName = "debug") -> None:
    """Draw the app.

    Args:
        first: The view that an address without a path opens.
    """
    _collect_seldom()
    follow_log()
    st.set_page_config("Workflow Debugger", MARK, layout="wide")
    if current_user().role is None:
        st.error("You are signed out, or no role was set for you: reload the page to sign in.")
        return
    st.html(_STYLE)
    st.logo(MARK)
    warn_without_sticky_sessions()
    pages: dict[str, Any] = {
        view.name: st.Page(
            view.render, title=view.title, icon=view.icon, url_path=view.name, default=view.name == first
        )
        for view in PAGES
    }
    state.record(PageLinks).by_name = pages
    chosen = st.navigation(list(pages.values()), position="hidden")
    navigation.leave_for_page()
    shown = next(view for view in PAGES if view.title == chosen.title)
    state.record(PageLinks).on_view = shown.name
    links = [
        Link(
            f"to_{view.name}",
            view.title,
            "./" if view.name == first else view.name,
            _go_to,
            (view.name,),
            is_current=view is shown,
        )
        for view in VIEWS
    ]
    top_nav(links, help_button(shown.help, is_current=shown is HELP), shown.head)
    _ask()
    with show_unexpected_errors(f"The page {shown.title}"):
        chosen.run()


def _ask() -> None:
    """Draw the first open question, or none: one click may open two, and there is one dialog at a time."""
    questions = state.record(OpenQuestions)
    if questions.production is not None:
        production_dialog()
    elif questions.python is not None:
        python_dialog()
    elif questions.edit is not None:
        edit_conflict_dialog()


def _go_to(name: PageName) -> None:
    state.record(LastAction).error = None  # it was of the page that is left
    navigation.go_to(name)


@cache
def _collect_seldom() -> None:
    """Avoid a search for garbage while a page is drawn.

    A run on view is many objects that live long and hold no circles. As Python is set, a fourth of the time
    of a step went into looking through them.
    """
    gc.freeze()  # what was imported stays
    gc.set_threshold(_OBJECTS, _YOUNG, _OLD)
