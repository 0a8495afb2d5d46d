"""Sheets that are exported, changed with openpyxl, and imported again."""

from __future__ import annotations

import io
from contextlib import closing

import pytest
from openpyxl import load_workbook

from debugger.backends.embedded import EmbeddedBackend
from debugger.exports.formats import ExportOptions, write_export
from debugger.exports.import_plan import StoredReviews, plan_import
from debugger.exports.presets import preset_columns
from debugger.exports.review_sheet import read_sheet
from debugger.exports.rows import count_messages
from debugger.exports.sources import RunReader
from debugger.exports.table import TableOptions
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static

VALUES = ("pass", "fail", "unsure")


@pytest.fixture
def backend():
    with closing(EmbeddedBackend(Settings(database="sqlite://", responder="rules"))) as backend:
        yield backend


def runs(backend, count):
    """Return the ids of new runs of two turns."""
    workflow = backend.create_workflow(document(static("a", "Hello 🫖"), say("b"), direct("a", "b")))
    made = []
    for _ in range(count):
        session = DebugSession(backend, workflow.id)
        session.start(TurnInput.with_message(None))
        assert session.wait(10)
        session.send("=1+1; then\n-2")
        assert session.wait(10)
        made.append(session.run_id)
    return made


def exported(backend, run_ids, format="xlsx", shape="message"):
    out = io.BytesIO()
    reader = RunReader(backend, backend.store)
    columns = tuple(preset_columns("qa-review", shape))
    write_export(out, reader.read(run_ids), ExportOptions(format, table=TableOptions(shape, columns)))
    return out.getvalue()


def edited(content, change):
    """Change the rows of a workbook, each a dict of cells."""
    book = load_workbook(io.BytesIO(content))
    sheet = next(sheet for sheet in book.worksheets if sheet.cell(1, 2).value == "run_id")
    names = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        change(dict(zip(names, row, strict=True)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def planned(backend, content, run_ids, user="Ada"):
    store = backend.store
    tags = {run_id: labels.tags for run_id, labels in store.notes.marks(run_ids).items()}
    known = StoredReviews(
        store.reviews.verdicts(run_ids),
        tags,
        store.reviews.turn_counts(run_ids),
        message_counts={run_id: count_messages(backend.record(run_id)) for run_id in run_ids},
    )
    return plan_import(read_sheet(content, "review.xlsx"), known, user=user, may_import_others=True)


def stored(backend, run_ids):
    """Return what is stored, by run and what a verdict is on."""
    return {
        (verdict.run_id, verdict.target.kind, verdict.target.key): (verdict.value, verdict.comment)
        for found in backend.store.reviews.verdicts(run_ids).values()
        for verdict in found
    }


@pytest.mark.parametrize("format", ["xlsx", "csv"])
@pytest.mark.parametrize("shape", ["message", "turn"])
def test_untouched_sheet_changes_nothing(backend, format, shape):
    run_ids = runs(backend, 3)
    target = Target.message(2) if shape == "message" else Target.turn(2)
    for value, run_id in zip(VALUES, run_ids, strict=True):
        for subject in (Target(), target):
            verdict = Verdict(
                run_id=run_id, target=subject, value=value, reviewer="Ada", comment="=late;\n-why 🫖"
            )
            backend.store.reviews.set_verdict(verdict)
        backend.store.notes.change_tags([run_id], ["late, very", "=smoke"])

    plan = planned(backend, exported(backend, run_ids, format, shape), run_ids, user="Ben")

    assert (plan.problems, plan.unknown_runs, plan.conflicts) == ([], [], [])
    assert plan.count("unchanged") == 3 * 3
    assert plan.changes().verdicts == plan.changes().tags == []


def test_edited_sheet_is_stored_as_it_says(backend):
    run_ids = runs(backend, 20)
    for place, run_id in enumerate(run_ids):
        verdict = Verdict(run_id=run_id, target=Target(), value=VALUES[place % 3], reviewer="Ada")
        backend.store.reviews.set_verdict(verdict)
    expected = {}

    def change(row):
        place = run_ids.index(row["run_id"].value)
        row["run_verdict"].value = VALUES[(place + 1) % 3]
        row["run_comment"].value = f"Changed {place} 🫖"
        row["tags"].value = f"tag {place % 2}, seen"
        row["verdict"].value = VALUES[place % 3]
        row["comment"].value = "Read"
        expected[row["run_id"].value, "run", ""] = VALUES[(place + 1) % 3], f"Changed {place} 🫖"
        expected[row["run_id"].value, "message", str(row["sequence"].value)] = VALUES[place % 3], "Read"

    sheet = edited(exported(backend, run_ids), change)
    plan = planned(backend, sheet, run_ids)
    backend.store.reviews.apply(plan.changes())

    assert (plan.problems, plan.conflicts) == ([], [])
    assert (plan.count("changed"), plan.count("new")) == (20, 20 * 3 + 20)
    assert stored(backend, run_ids) == expected
    assert len(expected) == 20 * 4
    assert [backend.store.notes.of(run_id).tags for run_id in run_ids[:2]] == [
        ["seen", "tag 0"],
        ["seen", "tag 1"],
    ]
    again = planned(backend, exported(backend, run_ids), run_ids)
    assert (again.count("unchanged"), again.changes().verdicts) == (20 * 4 + 20, [])


def test_verdict_changed_meanwhile_is_a_conflict(backend):
    [run_id] = runs(backend, 1)
    reviews = backend.store.reviews
    reviews.set_verdict(Verdict(run_id=run_id, target=Target(), value="pass", reviewer="Ada"))

    def change(row):
        row["run_verdict"].value = "fail"

    sheet = edited(exported(backend, [run_id]), change)
    reviews.set_verdict(
        Verdict(run_id=run_id, target=Target(), value="unsure", reviewer="Ada", comment="New")
    )
    plan = planned(backend, sheet, [run_id])
    reviews.apply(plan.changes())
    kept = stored(backend, [run_id])
    reviews.apply(plan.changes([0]))

    assert [(item.before.value, item.verdict.value) for item in plan.conflicts] == [("unsure", "fail")]
    assert kept == {(run_id, "run", ""): ("unsure", "New")}
    assert stored(backend, [run_id]) == {(run_id, "run", ""): ("fail", "")}


def test_masked_comment_stays_as_stored(backend):
    [run_id] = runs(backend, 1)
    said = "Call +49 30 1234567, see https://example.org/?token=abcdef now"
    backend.store.reviews.set_verdict(
        Verdict(run_id=run_id, target=Target(), value="pass", reviewer="Ada", comment=said)
    )

    def change(row):
        row["run_verdict"].value = "fail"

    sheet = exported(backend, [run_id])
    untouched = planned(backend, sheet, [run_id])
    changed = planned(backend, edited(sheet, change), [run_id])
    backend.store.reviews.apply(changed.changes())

    assert untouched.changes().verdicts == []
    assert stored(backend, [run_id]) == {(run_id, "run", ""): ("fail", said)}


def test_masked_tags_are_no_conflict(backend):
    [run_id] = runs(backend, 1)
    backend.store.notes.change_tags([run_id], ["ada@example.org", "smoke"])

    plan = planned(backend, exported(backend, [run_id]), [run_id])

    assert plan.conflicts == []


def test_sheet_of_the_schema_before_is_imported(backend):
    (run_id,) = runs(backend, 1)
    newer = ("failure_kind", "error_node", "faulted", "run_ms", "end_reason")
    columns = [name for name in preset_columns("qa-review", "message") if name not in newer]
    reader, out = RunReader(backend, backend.store), io.BytesIO()
    options = ExportOptions("csv", table=TableOptions("message", tuple(columns)))
    write_export(out, reader.read([run_id]), options)
    header, first, *rest = out.getvalue().decode("utf-8-sig").splitlines()
    cells = dict(zip(columns, first.split(","), strict=True)) | {"schema_version": "2", "verdict": "pass"}

    sheet = read_sheet("\n".join([header, ",".join(cells.values()), *rest]).encode(), "sheet.csv")

    (verdict,) = sheet.verdicts
    assert (verdict.run_id, verdict.value) == (run_id, "pass")
    assert sheet.problems == []
