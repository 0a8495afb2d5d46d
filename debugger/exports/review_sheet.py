"""Sheets that were reviewed elsewhere, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from debugger.errors import InputError
from debugger.exports.csv_files import remove_formula_guard
from debugger.exports.sheet_files import Table, read_table
from debugger.protocol.base import is_id
from debugger.protocol.notes import Target
from debugger.protocol.reviews import VERDICT_VALUES, Verdict, VerdictValue, check_verdict, is_number
from debugger.store.notes import MAX_TAG_CHARACTERS

RUN_ID = "run_id"
READ_COLUMNS: Final = (
    RUN_ID,
    "turn",
    "sequence",
    "verdict",
    "reviewer",
    "comment",
    "verdict_at",
    "run_verdict",
    "run_reviewer",
    "run_comment",
    "run_verdict_at",
    "tags",
)
"""Columns that are taken over; a sheet may lack any but the first."""


@dataclass(frozen=True)
class SheetVerdict:
    """A verdict as a row of a sheet has it."""

    row: int
    """The row's number in a spreadsheet, from 1."""
    run_id: str
    target: Target
    value: VerdictValue
    reviewer: str
    """Empty for the user who imports it."""
    comment: str
    given_at: str
    """When the verdict that the sheet was made with was last changed; empty if the sheet does not say."""


@dataclass(frozen=True)
class SheetComment:
    """A comment without a verdict beside it."""

    row: int
    run_id: str
    target: Target
    author: str
    """Empty for the user who imports it."""
    content: str


@dataclass(frozen=True)
class SheetTags:
    """The tags of a run as a row of a sheet has them."""

    row: int
    run_id: str
    text: str
    """Joined by commas."""

    @property
    def tags(self) -> list[str]:
        """Return the tags."""
        parts = (" ".join(part.split()) for part in self.text.split(","))
        return list(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True)
class Problem:
    """A row, or a part of it, that cannot be taken over."""

    row: int
    sentence: str


@dataclass
class ReviewSheet:
    """The reviews in a sheet."""

    verdicts: list[SheetVerdict] = field(default_factory=list)
    run_verdicts: list[SheetVerdict] = field(default_factory=list)
    """Verdicts on runs, which every row of a run repeats."""
    tags: list[SheetTags] = field(default_factory=list)
    """Tags, which every row of a run repeats."""
    comments: list[SheetComment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Names of columns that are not read."""
    row_count: int = 0

    @property
    def run_ids(self) -> set[str]:
        """Return the runs that the sheet has reviews of."""
        verdicts = {verdict.run_id for verdict in [*self.verdicts, *self.run_verdicts]}
        others = {tags.run_id for tags in self.tags} | {comment.run_id for comment in self.comments}
        return verdicts | others

    @property
    def runs_with_messages(self) -> set[str]:
        """Return the runs of which messages are reviewed."""
        rows: list[SheetVerdict | SheetComment] = [*self.verdicts, *self.comments]
        return {row.run_id for row in rows if row.target.kind == "message"}


def read_sheet(content: bytes, name: str) -> ReviewSheet:
    """Return the reviews in a CSV file or workbook; a row that cannot be read is a problem in them.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        InputError: The file cannot be read, is no sheet of runs, or has a column twice.
    """
    table = read_table(content, name, RUN_ID)
    sheet = ReviewSheet(ignored=[column for column in table.header if column and column not in READ_COLUMNS])
    repeated = [column for column in READ_COLUMNS if table.header.count(column) > 1]
    if repeated:
        raise InputError(
            f"The sheet {name!r} has the column {repeated[0]!r} twice.", advice="Remove one of them."
        )
    for number, cells in _read_cells(table):
        sheet.row_count += 1
        try:
            _read_row(sheet, number, cells)
        except InputError as error:
            sheet.problems.append(Problem(number, error.message))
    return sheet


def _read_cells(table: Table) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield number and cells of each row that is not empty, by the names of the columns that are read."""
    places = {column: table.header.index(column) for column in READ_COLUMNS if column in table.header}
    for number, cells in table.rows:
        if any(cells):
            yield (
                number,
                {column: cells[place] for column, place in places.items() if place < len(cells)},
            )


def _read_row(sheet: ReviewSheet, number: int, cells: Mapping[str, str]) -> None:
    """Add the tags and the verdicts or comments of a row to the sheet: on the run, then on turn or message.

    Raises:
        InputError: Something in it cannot be taken over; what was read before is kept.
    """
    run_id = cells.get(RUN_ID, "").strip().lower()
    if not is_id(run_id):
        raise InputError(f"{run_id[:40]!r} is not a run id: 24 hexadecimal digits.")
    if cells.get("tags") is not None:
        sheet.tags.append(_tags(number, run_id, remove_formula_guard(cells["tags"])))
    _read_review(sheet, number, run_id, Target(), cells, "run_")
    _read_review(sheet, number, run_id, _target(cells), cells, "")


def _read_review(
    sheet: ReviewSheet, number: int, run_id: str, target: Target, cells: Mapping[str, str], lead: str
) -> None:
    """Add the verdict on one target, or a comment without one, to the sheet; nothing if the row has neither.

    Args:
        sheet: The sheet.
        number: The row's number.
        run_id: The run's.
        target: What the verdict is on.
        cells: The row's cells by column.
        lead: What the names of its columns begin with.

    Raises:
        InputError: It is no verdict, or a text is too long.
    """
    value = _value(cells.get(f"{lead}verdict", ""))
    author = " ".join(remove_formula_guard(cells.get(f"{lead}reviewer", "")).split())
    comment = remove_formula_guard(cells.get(f"{lead}comment", "")).strip().replace("\r\n", "\n")
    if value is None and not comment:
        return
    check_verdict(
        Verdict(
            run_id=run_id, target=target, value=value or "unsure", reviewer=author or "me", comment=comment
        )
    )
    if value is None:
        sheet.comments.append(SheetComment(number, run_id, target, author, comment))
        return
    given_at = cells.get(f"{lead}verdict_at", "").strip()
    own = sheet.run_verdicts if target.kind == "run" else sheet.verdicts
    own.append(SheetVerdict(number, run_id, target, value, author, comment, given_at))


def _value(text: str) -> VerdictValue | None:
    """Return the verdict that a cell says, in any case; ``None`` for an empty one.

    Raises:
        InputError: It says anything else.
    """
    word = text.strip().lower()
    if not word:
        return None
    found = next((value for value in VERDICT_VALUES if value == word), None)
    if found is None:
        raise InputError(f"{text.strip()[:40]!r} is not a verdict: pass, fail or unsure.")
    return found


def _target(cells: Mapping[str, str]) -> Target:
    """Return the message, else the turn, else the run that a row is on.

    Raises:
        InputError: The message or turn is no number.
    """
    for column, kind in (("sequence", "message"), ("turn", "turn")):
        text = cells.get(column, "").strip()
        if text and not is_number(text):
            raise InputError(f"{text[:40]!r} is not a {kind} number.")
        if text:
            return Target.message(int(text)) if kind == "message" else Target.turn(int(text))
    return Target()


def _tags(number: int, run_id: str, text: str) -> SheetTags:
    """Return the tags in the text of a row.

    Raises `InputError` where one is longer than `MAX_TAG_CHARACTERS`.
    """
    found = SheetTags(number, run_id, text)
    long = next((tag for tag in found.tags if len(tag) > MAX_TAG_CHARACTERS), None)
    if long is not None:
        raise InputError(f"The tag {long[:20]!r}… has {len(long)} characters, not {MAX_TAG_CHARACTERS}.")
    return found
