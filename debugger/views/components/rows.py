"""List of rows of which one can be selected.

It does what Streamlit's grid does, but is drawn and selected at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from debugger.protocol.json_codec import encode
from debugger.views import state
from debugger.views.components.factory import component

Cell = str | tuple[str, str] | tuple[str, float] | None
"""A text; of a chip its colour as well, of a bar how full it is, from 0 to 1."""

_LINE = 2
"""Pixels of the frame, above and below together."""
_TITLE, _NONE = 30, 20
"""Pixels of a title, and of the sentence in the place of rows."""


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


class Row(NamedTuple):
    """One row."""

    cells: Sequence[Cell]
    target: str | list[Any]
    """Value of the row, sent when it is chosen."""
    begins: bool = False
    """Whether something new begins with it, which a line above tells."""


_LIST = component("rows_list", __package__, "rows")


def rows_list(
    key: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    chosen: int | None,
    height: int,
    aria_label: str,
    on_choose: Callable[[Any], None],
    near: int | None = None,
    page: Hashable = None,
    follows: bool = False,
    title: str = "",
    none: str = "",
) -> None:
    """Draw a list.

    Args:
        key: The widget's.
        columns: Its columns.
        rows: Its rows.
        chosen: The chosen row by its place, from 0.
        height: Of the rows, in pixels.
        aria_label: What the list is, for screen readers.
        on_choose: Takes the value of the chosen row; ``None`` where the choice is
            cleared.
        near: The row to be in sight where none is chosen, as one before what the list keeps back.
        page: While it is equal, the list stays where it was scrolled to.
        follows: Whether another page begins at its end.
        title: What is above it.
        none: What is there in the place of no rows; without such a sentence the head of the list does.
    """
    _LIST(
        key=key,
        height=(_TITLE if title else 0) + (_NONE if none and not rows else height + _LINE),
        data={
            "columns": [asdict(column) for column in columns],
            # As one text: Streamlit would look through all that it holds for tables.
            "rows": encode([row._asdict() for row in rows]).decode(),
            "chosen": chosen,
            "near": near,
            "page": str(page),
            "follows": follows,
            "aria_label": aria_label,
            "title": title,
            "none": "" if rows else none,
        },
        on_chosen_change=lambda: on_choose(_chosen(key)),
    )


def _chosen(key: str) -> Any:
    held = state.widget(key)
    return (held.get("chosen") if held else None) or None
