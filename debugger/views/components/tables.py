"""Pages of long tables, and the height of a row of Streamlit's grid."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from debugger.analysis.paging import page_bounds, page_count, page_of
from debugger.views import state
from debugger.views.components.toolbar import Button, Item, Select, Spacer, bar

ROW = 32
"""Pixels of one row of Streamlit's grid."""


@dataclass
class TurnedPage:
    """The page of a long table that is on view."""

    looked_at: Any = None
    """The content of the table, and its chosen row, when the page was picked."""
    number: int | None = None
    """Counts from 1; ``None`` is the last page, however many there come to be."""


@dataclass
class _TurnedPages:
    """The pages of long tables that a person turned to."""

    by_table: dict[str, TurnedPage] = field(default_factory=dict)
    """The pages by the table's key."""


class Pager(NamedTuple):
    """The page of a table that is on view."""

    first: int
    """The first row to draw, from 0."""
    end: int
    """The one after the last."""
    items: list[Item]
    """The controls; none where there is one page."""


def pager(key: str, rows: int, looked_at: Hashable, chosen: int | None = None) -> Pager:
    """Return the page of a table to draw.

    The last page comes first. A page that a person turned to stays, until something else is looked at.

    Args:
        key: The table's.
        rows: How many it has.
        looked_at: What it shows, and what is chosen in it: when that changes, the chosen row's page is shown.
        chosen: The chosen row, from 0.
    """
    turned = state.record(_TurnedPages).by_table.setdefault(key, TurnedPage())
    if turned.looked_at != looked_at:
        turned.looked_at = looked_at
        turned.number = None if chosen is None else page_of(chosen)
    pages = page_count(rows)
    page = min(turned.number or pages, pages)
    return Pager(*page_bounds(page, rows), _controls(key, page, pages) if pages > 1 else [])


def draw_pager(key: str, page: Pager) -> None:
    """Draw the page controls below a table with more than one page."""
    if page.items:
        bar(key, page.items, low=True)


def _controls(key: str, page: int, pages: int) -> list[Item]:
    """Return the controls of a table's pages, and set the value of the choice to the current page."""
    wanted = f"{key}_page"
    state.set_widget(wanted, str(page))

    def turn(name: str, label: str, icon: str, to: int) -> Button:
        """Return a button that turns to a page; it is disabled on that page."""
        return Button(
            f"{key}_{name}",
            label,
            _turn,
            (key, to, pages),
            icon=icon,
            look="tertiary",
            shows="icon",
            disabled=to == page,
        )

    options = {str(number): f"Page {number:,} of {pages:,}" for number in range(1, pages + 1)}
    return [
        Spacer(),
        turn("previous_page", "Previous page", ":material/chevron_left:", max(page - 1, 1)),
        Select(wanted, "Page", options, "", partial(_turn_to_chosen, key, wanted, pages)),
        turn("next_page", "Next page", ":material/chevron_right:", min(page + 1, pages)),
    ]


def _turn(key: str, to: int, pages: int) -> None:
    state.record(_TurnedPages).by_table[key].number = None if to == pages else to


def _turn_to_chosen(key: str, wanted: str, pages: int) -> None:
    _turn(key, int(state.widget(wanted)), pages)
