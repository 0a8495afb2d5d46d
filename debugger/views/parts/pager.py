"""The pages of a long table: buttons to turn them, and which rows to draw."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from debugger.analysis.pages import bounds, page_count, page_of
from debugger.views import state

_MOST_BUTTONS = 7


def pager(key: str, rows: int, looked_at: Hashable, chosen: int | None = None) -> tuple[int, int]:
    """Draw the buttons where there is more than one page; the first row to draw, and the one after the last.

    The last page comes first. A page that a person turned to stays, until something else is looked at.

    Args:
        key: The table's.
        rows: How many it has.
        looked_at: What it shows, and what is chosen in it: when that changes, the chosen row's page is shown.
        chosen: The chosen row, from 0.
    """
    turned = state.page().turned_pages.setdefault(key, state.TurnedPage())
    if turned.looked_at != looked_at:
        turned.looked_at = looked_at
        turned.number = None if chosen is None else page_of(chosen)
    pages = page_count(rows)
    page = min(turned.number or pages, pages)
    if pages > 1:
        if turned.drawn != page:  # the buttons have a default, so they take no value: they are made anew
            turned.drawn, turned.generation = page, turned.generation + 1
        buttons = f"{key}_page_{turned.generation}"
        st.pagination(
            pages,
            default=page,
            key=buttons,
            max_visible_pages=_MOST_BUTTONS,
            on_change=_turn,
            args=(key, buttons, pages),
        )
    return bounds(page, rows)


def _turn(key: str, buttons: str, pages: int) -> None:
    turned = state.page().turned_pages[key]
    turned.drawn = state.widget(buttons)
    turned.number = None if turned.drawn == pages else turned.drawn
