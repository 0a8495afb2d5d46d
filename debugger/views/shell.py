"""What surrounds every page: its title, its navigation, its look."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from debugger.views import VIEWS, state
from debugger.views.parts.brand import MARK
from debugger.views.parts.head import head

_STYLE = Path(__file__).with_name("parts") / "style.css"
_SIDEBAR_WIDTH = 312


def run(first: str = "debug") -> None:
    """Draw the app.

    Args:
        first: The view that an address without a path opens.
    """
    st.set_page_config("Workflow Debugger", MARK, layout="wide", initial_sidebar_state=_SIDEBAR_WIDTH)
    st.html(_STYLE)
    st.logo(MARK)
    pages = {
        view.name: st.Page(
            view.render, title=view.title, icon=view.icon, url_path=view.name, default=view.name == first
        )
        for view in VIEWS
    }
    state.page().links = pages
    chosen = st.navigation(list(pages.values()), position="top")
    head(next(view.head for view in VIEWS if view.title == chosen.title))
    chosen.run()
