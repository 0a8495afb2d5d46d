"""Table of low rows, of which one can be selected.

It shows what Streamlit's grid shows, but is drawn and selected at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from debugger.protocol.json_codec import encode
from debugger.views import state
from debugger.views.components.factory import component

Of = TypeVar("Of")

_CHARACTER, _PADDING = 7, 24
"""Pixels of a character, on average, and around the text of a cell."""

ROW, HEAD = 25, 26
"""Pixels of a row, and of the head."""
_FRAME = 2
"""Pixels of the frame, above and below together."""
_WIDE, _BAR = 1180, 15
"""Pixels of columns that need a bar to scroll sideways in a window of 1280, and of that bar."""

Chip = tuple[str, str]
"""A text with its colour."""
Mark = tuple[str, Literal["same", "removed", "added", "quiet"]]
"""A part of a text, with what became of it; a quiet one is no part of the text itself."""
Cell = (
    str
    | Chip
    | Sequence[Chip]
    | Sequence[Mark]
    | tuple[str, bool]
    | tuple[str, float]
    | tuple[str, float, float, str]
    | None
)
"""A text. Of chips also their colours; of marks the parts of one text; of a check whether it is set; of a bar
its share, from 0 to 1; of a span its begin and its length, from 0 to 1, and its colour."""


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    label: str
    width: int
    """In pixels; of one that grows the least."""
    kind: Literal["text", "marks", "number", "chip", "bar", "span", "check", "remove", "revert"] = "text"
    """Marks are whole, on as many lines as they take. A check, and the button that removes or reverts its
    row, can be used; texts are for screen readers.

    Where rows can be chosen, the head of a check has a box that sets all of them.
    """
    help: str = ""
    grows: bool = False
    """Whether it takes what the others leave."""
    fits: int = 0
    """The width in pixels that shows its texts in full; it has it where that is at most half of the table."""
    reason: str = ""
    """Why its controls are disabled."""
    rests: bool = False
    """Checks show only in the row with the pointer or the keyboard, until one of them is set."""
    sort: Literal["", "none", "ascending", "descending"] = ""
    """The order of the rows by it; its head is a button, unless this is empty."""


class Row(NamedTuple):
    """One row."""

    cells: Sequence[Cell]
    target: str | list[Any] | None = None
    """Value of the row, sent when it is chosen or a control in it is used; without it neither is possible."""
    begins: bool = False
    """Whether something new begins with it, which a line above shows."""
    is_heading: bool = False
    """Whether its first cell is the title of the rows below."""


@dataclass(frozen=True)
class Table:
    """Columns and rows to draw."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    aria_label: str

    def place_of(self, target: Any) -> int | None:
        """Return the place of the row with a target; ``None`` without one."""
        return next((at for at, row in enumerate(self.rows) if target and row.target == target), None)


Columns = list[tuple[Column, Callable[[Of], Cell]]]
"""Each column with what makes its cell of a record."""


def table(
    aria_label: str,
    records: Sequence[Of],
    columns: Columns[Of],
    target: Callable[[Of], str | list[Any] | None] = lambda record: None,
) -> Table:
    """Return a table with a row for each record.

    Args:
        aria_label: Its description for screen readers.
        records: The records in their order.
        columns: Each column with what makes its cell of a record.
        target: Makes the value of a row.
    """
    rows = [Row([cell(record) for _, cell in columns], target(record)) for record in records]
    return Table([column for column, _ in columns], rows, aria_label)


def estimate_width(texts: Iterable[str]) -> int:
    """Return the estimated width in pixels of a column for its longest text."""
    return max(map(len, texts), default=0) * _CHARACTER + _PADDING


_LIST = component("rows_list", __package__, "rows", ("elements.js", "rows.js"))


def rows_list(
    key: str,
    shown: Table,
    *,
    chosen: int | None = None,
    on_choose: Callable[[Any], None] | None = None,
    on_use: Callable[[Any, str, Any], None] | None = None,
    fills: bool = False,
    most: int | None = None,
    later: Collection[int] = (),
    near: int | None = None,
    ahead: int = 0,
    page: Hashable = None,
    follows: bool = False,
    keeps: bool = False,
    row: int = ROW,
) -> None:
    """Draw a table.

    Args:
        key: The widget's.
        shown: Its columns and rows.
        chosen: The chosen row by its place, from 0.
        on_choose: Takes the value of the chosen row; ``None`` where the choice is cleared. Without it no row
            can be chosen.
        on_use: Takes the value of a row, the name of the column whose control is used, and its new value.
            Of a check whose rows can be chosen it takes the values of all checked rows, the name, and
            ``None``; of a head that sorts ``None``, the name, and ``None``.
        fills: Whether it takes the height that its pane has left; else it is as high as its rows.
        most: How many rows are in sight of one that does not fill; ``None`` is all.
        later: The rows of what came after the cursor, by their places.
        near: The row to be in sight where none is chosen, as one before what the list hides.
        ahead: How many rows below the row that comes to be in sight are in sight, too.
        page: While it is equal, the list stays where it was scrolled to.
        follows: Whether another page begins at its end.
        keeps: Whether the chosen row stays chosen when it is clicked again; else that clears the choice.
        row: Pixels of a row.
    """

    def choose() -> None:
        if on_choose is not None:
            on_choose(state.sent_by_browser(key, "chosen") or None)

    def use() -> None:
        sent = state.sent_by_browser(key, "used")
        if on_use is not None and isinstance(sent, list) and len(sent) == 3 and isinstance(sent[1], str):
            on_use(*sent)

    height: int | Literal["stretch", "content"] = "stretch"
    if not fills:
        height = HEAD + row * min(len(shown.rows), most or len(shown.rows)) + _FRAME
        if sum(column.width for column in shown.columns) > _WIDE:
            height += _BAR
        if any(column.kind == "marks" for column in shown.columns):
            height = "content"
    _LIST(
        key=key,
        height=height,
        data={
            "columns": [asdict(column) for column in shown.columns],
            # As one text: Streamlit would look through all that it holds for tables.
            "rows": encode([row._asdict() for row in shown.rows]).decode(),
            "chosen": chosen,
            "selects": on_choose is not None,
            "later": list(later),
            "near": near,
            "ahead": ahead,
            "page": str(page),
            "follows": follows,
            "keeps": keeps,
            "fills": fills,
            "row": row,
            "whole": height == "content",
            "aria_label": shown.aria_label,
        },
        on_chosen_change=choose,
        on_used_change=use,
    )
