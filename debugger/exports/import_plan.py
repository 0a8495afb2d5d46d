"""Changes that a reviewed sheet asks for, beside what is stored."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from debugger.boundary.rules import MARKS
from debugger.engine.outbound.secrets import MARK
from debugger.exports.csv_files import remove_formula_guard
from debugger.exports.review_sheet import Problem, ReviewSheet, SheetComment, SheetTags, SheetVerdict
from debugger.protocol.notes import Comment
from debugger.protocol.reviews import Verdict
from debugger.store import NewComment, ReviewChanges, TagChange, VerdictChange

PlanState = Literal["new", "changed", "unchanged", "conflict"]

_MASKED = re.compile("|".join(map(re.escape, [*MARKS.values(), MARK])))


@dataclass(frozen=True)
class PlannedVerdict:
    """A verdict of a sheet beside the stored one."""

    row: int
    verdict: Verdict
    before: Verdict | None
    state: PlanState
    """``conflict``: the stored one says something else, and was not what the sheet was made with."""


@dataclass(frozen=True)
class PlannedTags:
    """The tags of a run beside the stored ones."""

    row: int
    run_id: str
    tags: list[str]
    before: list[str]
    state: PlanState
    """``conflict``: stored tags would be lost."""

    @property
    def change(self) -> TagChange:
        """Return the tags to add and to remove; others that were added since the comparison stay."""
        added = [tag for tag in self.tags if tag not in self.before]
        return TagChange(self.run_id, added, [tag for tag in self.before if tag not in self.tags])


@dataclass(frozen=True)
class PlannedComment:
    """A comment of a sheet."""

    row: int
    comment: NewComment
    state: PlanState
    """``new``, or ``unchanged`` where its author has written the same on the same target."""


@dataclass(frozen=True)
class StoredReviews:
    """The stored reviews that a sheet is compared with."""

    verdicts: Mapping[str, Sequence[Verdict]]
    tags: Mapping[str, Sequence[str]]
    turn_counts: Mapping[str, int | None]
    """The known runs with their number of turns; ``None`` where it is not known."""
    connection: str = ""
    comments: Mapping[str, Sequence[Comment]] = field(default_factory=dict)
    message_counts: Mapping[str, int] = field(default_factory=dict)
    """The number of messages of the runs in which the sheet has messages reviewed."""


@dataclass(frozen=True)
class ImportPlan:
    """The changes that a sheet asks for; nothing is changed by itself."""

    verdicts: list[PlannedVerdict]
    tags: list[PlannedTags]
    comments: list[PlannedComment]
    problems: list[Problem]
    unknown_runs: list[str]
    """Runs of the sheet that are not stored."""
    ignored: list[str]
    row_count: int

    def count(self, state: PlanState) -> int:
        """Return the number of verdicts, tags and comments in one state."""
        return sum(item.state == state for item in [*self._items, *self.comments])

    @property
    def conflicts(self) -> list[PlannedVerdict | PlannedTags]:
        """Return what is applied only where the user agrees, in order."""
        return [item for item in self._items if item.state == "conflict"]

    @property
    def _items(self) -> list[PlannedVerdict | PlannedTags]:
        return [*self.verdicts, *self.tags]

    def changes(self, agreed: Collection[int] = ()) -> ReviewChanges:
        """Return the changes to store: what is new or changed, and the conflicts that the user agrees to.

        Args:
            agreed: Places of conflicts, in the order of `conflicts`, which are stored as the sheet has them.
        """
        chosen = {id(item) for place, item in enumerate(self.conflicts) if place in agreed}

        def is_applied(item: PlannedVerdict | PlannedTags) -> bool:
            return item.state in {"new", "changed"} or id(item) in chosen

        return ReviewChanges(
            [VerdictChange(item.verdict, item.before) for item in self.verdicts if is_applied(item)],
            [item.change for item in self.tags if is_applied(item)],
            [item.comment for item in self.comments if item.state == "new"],
        )


def plan_import(
    sheet: ReviewSheet, stored: StoredReviews, *, user: str, may_import_others: bool
) -> ImportPlan:
    """Return the changes that a sheet asks for, compared with what is stored; nothing is stored.

    Rows that cannot be taken over are problems, in the order of the rows.

    Args:
        sheet: The sheet.
        stored: The stored reviews of its runs.
        user: The reviewer of verdicts that name none.
        may_import_others: Whether verdicts of other reviewers are taken over, too.
    """
    planner = _Planner(stored, user, may_import_others, list(sheet.problems))
    verdicts = planner.verdicts(sheet.verdicts) + planner.repeated_verdicts(sheet.run_verdicts)
    return ImportPlan(
        verdicts=sorted(verdicts, key=lambda item: item.row),
        tags=planner.tags(sheet.tags),
        comments=planner.comments(sheet.comments),
        problems=sorted(planner.problems, key=lambda problem: problem.row),
        unknown_runs=sorted(sheet.run_ids - stored.turn_counts.keys()),
        ignored=sheet.ignored,
        row_count=sheet.row_count,
    )


Item = TypeVar("Item", PlannedVerdict, PlannedTags)


class _Planner:
    """Compares rows with the stored reviews, and notes problems."""

    def __init__(
        self, stored: StoredReviews, user: str, may_import_others: bool, problems: list[Problem]
    ) -> None:
        """Hold what is stored, and the list that problems are added to."""
        self.problems = problems
        self._stored = stored
        self._user = user
        self._may_import_others = may_import_others
        self._verdicts = {
            verdict.identity: verdict for found in stored.verdicts.values() for verdict in found
        }

    def verdicts(self, rows: Sequence[SheetVerdict]) -> list[PlannedVerdict]:
        """Return the planned verdicts of rows that have their own.

        Of two that differ the first counts, and a problem is noted.
        """
        planned: dict[tuple[str, ...], PlannedVerdict] = {}
        for row in rows:
            item = self._plan(row)
            if item is None:
                continue
            earlier = planned.setdefault(item.verdict.identity, item)
            if earlier.verdict.content != item.verdict.content:
                self.problems.append(Problem(row.row, f"Another verdict than in row {earlier.row}."))
        return list(planned.values())

    def repeated_verdicts(self, rows: Sequence[SheetVerdict]) -> list[PlannedVerdict]:
        """Return the planned verdicts that the rows of a run repeat; the edited row decides.

        Where two edited rows differ, there is none, but a problem.
        """
        planned: dict[tuple[str, ...], list[PlannedVerdict]] = {}
        for row in rows:
            item = self._plan(row)
            if item is not None:
                planned.setdefault(item.verdict.identity, []).append(item)
        return [item for items in planned.values() for item in self._decide(items, "Another run verdict")]

    def tags(self, rows: Sequence[SheetTags]) -> list[PlannedTags]:
        """Plan the tags of runs; the edited row decides."""
        planned: dict[str, list[PlannedTags]] = {}
        for row in rows:
            if row.run_id in self._stored.turn_counts:
                planned.setdefault(row.run_id, []).append(self._plan_tags(row))
        return [item for items in planned.values() for item in self._decide(items, "Other tags")]

    def comments(self, rows: Sequence[SheetComment]) -> list[PlannedComment]:
        """Return the planned comments of known runs and targets.

        Those that the rows of a run repeat count once. New ones of others that the user may not import are
        problems.
        """
        planned: dict[tuple[str, ...], PlannedComment] = {}
        for row in rows:
            if row.run_id not in self._stored.turn_counts or not self._has_target(row):
                continue
            new = NewComment(row.run_id, row.target, row.author or self._user, row.content)
            item = PlannedComment(row.row, new, "unchanged" if self._is_said(new) else "new")
            if item.state == "new" and self._is_foreign(new.author, row.row):
                continue
            key = (new.run_id, new.target.kind, new.target.key, new.author, new.content)
            planned.setdefault(key, item)
        return list(planned.values())

    def _is_said(self, new: NewComment) -> bool:
        """Return whether its author has written the same there already, as a comment or with a verdict."""
        verdict = self._verdicts.get(
            (self._stored.connection, new.run_id, new.target.kind, new.target.key, new.author)
        )
        said = [
            comment.content
            for comment in self._stored.comments.get(new.run_id, ())
            if (comment.target, comment.author) == (new.target, new.author)
        ]
        said += [verdict.comment] if verdict else []
        return any(_is_same_text(text, new.content) for text in said)

    def _is_foreign(self, reviewer: str, row: int) -> bool:
        """Return whether the user may not import it; add the problem."""
        is_foreign = reviewer != self._user and not self._may_import_others
        if is_foreign:
            sentence = f"Only an administrator imports what others have written, as {reviewer}."
            self.problems.append(Problem(row, sentence))
        return is_foreign

    def _has_target(self, row: SheetVerdict | SheetComment) -> bool:
        """Return whether the row's turn or message exists; else add the problem."""
        kind, number = row.target.kind, row.target.key
        counts = self._stored.message_counts if kind == "message" else self._stored.turn_counts
        last = counts.get(row.run_id)
        has_target = kind == "run" or last is None or int(number) <= last
        if not has_target:
            self.problems.append(Problem(row.row, f"The run has no {kind} {number}."))
        return has_target

    def _plan(self, row: SheetVerdict) -> PlannedVerdict | None:
        """Return the planned verdict of a row.

        ``None`` if the run is not stored, if its target is missing, or if it is another reviewer's that the
        user may not import; of the last two a problem is noted.
        """
        if row.run_id not in self._stored.turn_counts or not self._has_target(row):
            return None
        verdict = Verdict(
            run_id=row.run_id,
            target=row.target,
            value=row.value,
            reviewer=row.reviewer or self._user,
            comment=row.comment,
            connection=self._stored.connection,
        )
        item = self._compare(row, verdict)
        if item.state != "unchanged" and self._is_foreign(verdict.reviewer, row.row):
            return None
        return item

    def _compare(self, row: SheetVerdict, verdict: Verdict) -> PlannedVerdict:
        """Return a verdict of the sheet beside the stored one: new, unchanged, changed, or a conflict.

        It is a conflict if the stored one was changed after the sheet was exported. Checks of the stored one
        stay, and a comment that masking or a spreadsheet has changed is that of the stored one.
        """
        before = self._verdicts.get(verdict.identity)
        if before is None:
            return PlannedVerdict(row.row, verdict, None, "new")
        comment = before.comment if _is_same_text(before.comment, verdict.comment) else verdict.comment
        verdict = verdict.model_copy(update={"checks": before.checks, "comment": comment})
        if (before.value, before.comment) == (verdict.value, comment):
            return PlannedVerdict(row.row, before, before, "unchanged")
        is_known = row.given_at != "" and row.given_at == before.updated_at
        return PlannedVerdict(row.row, verdict, before, "changed" if is_known else "conflict")

    def _plan_tags(self, row: SheetTags) -> PlannedTags:
        """Return the tags of a row beside the stored ones, and what an import does with them.

        Nothing is stored. Equal tags, also where masking or a spreadsheet has changed them, and none on both
        sides are ``unchanged``. Without stored ones they are ``new``; where all stored ones stay,
        ``changed``. Else, as with an empty cell beside stored ones, it is a ``conflict``.
        """
        before = sorted(self._stored.tags.get(row.run_id, ()))
        if _is_same_text(", ".join(before), row.text) or sorted(row.tags) == before:
            return PlannedTags(row.row, row.run_id, before, before, "unchanged")
        if not before:
            return PlannedTags(row.row, row.run_id, row.tags, before, "new")
        state: PlanState = "changed" if set(before) <= set(row.tags) else "conflict"
        return PlannedTags(row.row, row.run_id, row.tags, before, state)

    def _decide(self, items: Sequence[Item], subject: str) -> Iterator[Item]:
        """Yield the item that counts of those that rows repeat, the first edited one, else the first.

        Nothing is yielded where two edited ones differ, but a problem noted.
        """
        edited = [item for item in items if item.state != "unchanged"]
        other = next((item for item in edited if _asks(item) != _asks(edited[0])), None)
        if other is not None:
            sentence = f"{subject} than in row {edited[0].row} of the same run."
            self.problems.append(Problem(other.row, sentence))
            return
        yield (edited or items)[0]


def _asks(item: PlannedVerdict | PlannedTags) -> object:
    return item.verdict.content if isinstance(item, PlannedVerdict) else sorted(item.tags)


def _is_same_text(stored: str, read: str) -> bool:
    """Return whether comment or tags are the stored ones.

    A spreadsheet may drop blanks at the ends of lines, and an export puts marks in place of what it masks.
    """
    whole = " ".join(remove_formula_guard(stored).split())
    begin, *parts = _MASKED.split(" ".join(read.split()))
    if not parts:
        return whole == begin
    place = len(begin)
    for part in parts[:-1]:
        place = whole.find(part, place + 1)
        if place < 0:
            return False
        place += len(part)
    return len(whole) > place and whole.startswith(begin) and whole[place + 1 :].endswith(parts[-1])
