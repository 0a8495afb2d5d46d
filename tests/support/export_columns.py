"""The list of the columns of exports, for the help.

``python -m tests.support.export_columns`` writes ``debugger/docs/columns.md``.
"""

from __future__ import annotations

from debugger.exports.columns import COLUMNS, Column
from debugger.exports.saved_options import SHAPES
from tests.support.ui_texts import PACKAGE

DOCUMENT = PACKAGE / "docs" / "columns.md"
_HEAD = """
# Columns of exports

The columns that [an export](review.md#exports) can have, by the rows that have them: *Columns* in the dialog, `--columns` of
the command `export`. What is known only when a turn ends is on its last row. `variable:NAME` is the value of one variable
after a turn that changed it; `check:NAME`, in every row, has the results of one check of the rubric.

| Name in files | Column | Rows | What it holds |
| --- | --- | --- | --- |
"""  # noqa: E501


def document() -> str:
    """Return the document that lists all columns."""
    return _HEAD.lstrip() + "".join(map(_line, COLUMNS.values()))


def _line(column: Column) -> str:
    shapes = ", ".join(shape for shape in SHAPES if shape in column.shapes)
    return f"| `{column.name}` | {column.label} | {shapes} | {column.help} |\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
