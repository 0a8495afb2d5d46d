"""A list of rows of which one can be chosen: what the grid of Streamlit does, drawn and chosen at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Literal, NamedTuple

import streamlit as st

from debugger.views import state

Cell = str | tuple[str, str] | tuple[str, float] | None
"""A text; of a chip its colour as well, of a bar how full it is, from 0 to 1."""

_LINE = 2
"""Pixels of the frame, above and below together."""


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    label: str
    width: int
    """In pixels; of one that grows the least."""
    kind: Literal["text", "number", "chip", "bar"] = "text"
    help: str = ""
    grows: bool = False
    """Whether it takes what the others leave."""


class Target(NamedTuple):
    """Where a row leads."""

    event: int
    """The event that it is looked at by, by its place in the run from 0."""
    node: str | None
    """The node that is chosen with it."""


class Row(NamedTuple):
    """One row."""

    cells: Sequence[Cell]
    target: Target
    begins: bool
    """Whether it is the first one of a turn."""


def _asset(name: str) -> str:
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


_LIST = st.components.v2.component(
    "event_rows", html=_asset("rows.html"), css=_asset("rows.css"), js=_asset("rows.js")
)


def event_rows(
    key: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    chosen: int | None,
    page: Hashable,
    follows: bool,
    height: int,
    told: str,
    on_choose: Callable[[], None],
) -> None:
    """Draw a list.

    Args:
        key: The widget's.
        columns: Its columns.
        rows: Its rows.
        chosen: The chosen row by its place, from 0.
        page: While it is equal, the list stays where it was scrolled to.
        follows: Whether another page begins at its end.
        height: In pixels.
        told: What the list is, for screen readers.
        on_choose: Called when a person has chosen a row or given the choice back; see `chosen_target`.
    """
    _LIST(
        key=key,
        height=height + _LINE,
        data={
            "columns": [asdict(column) for column in columns],
            "rows": [row._asdict() for row in rows],
            "chosen": chosen,
            "page": str(page),
            "follows": follows,
            "told": told,
        },
        on_chosen_change=on_choose,
    )


def chosen_target(key: str) -> Target | None:
    """Where the row leads that a person has just chosen; ``None`` where the choice was given back."""
    held = state.widget(key)
    told = held.get("chosen") if held else None
    if not isinstance(told, list) or len(told) != len(Target._fields) or not isinstance(told[0], int):
        return None
    return Target(told[0], None if told[1] is None else str(told[1]))
