"""Run files with masked data, which open again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from debugger.boundary import MaskingOptions
from debugger.exports.formats import ExportOptions
from debugger.exports.records import ExportedRun
from debugger.exports.sources import RunReader
from debugger.exports.table import TableOptions
from debugger.protocol.notes import Comment, Rating, RunNotes, Target
from debugger.protocol.run_file import RunFile, read_run_file
from tests.support.clinic import clinic_call
from tests.support.exports import NO_MASKING, written

TURN = Target.turn(1)
NOTES = RunNotes(
    starred=True,
    tags=["call +49 171 1234567"],
    note="mail ada@example.org",
    comments=[
        Comment(logical_id="c", target=TURN, author="b@x.de", content="I: +49 171 1234567", created_at="2026")
    ],
    ratings=[Rating(target=TURN, author="b@x.de", value="up", created_at="2026")],
)


def noted_run() -> ExportedRun:
    backend, run_id = clinic_call()
    return replace(RunReader(backend, backend.store).run(run_id), notes=NOTES)


def reopened(run: ExportedRun, masking: MaskingOptions) -> RunFile:
    return read_run_file(
        written([run], ExportOptions("run", table=TableOptions(masking=masking), is_single=True))
    )


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(inner)


def test_texts_of_notes_are_masked():
    notes = reopened(noted_run(), MaskingOptions()).notes

    assert (notes.starred, notes.tags, notes.note) == (True, ["call [phone]"], "mail [e-mail]")
    assert [(each.author, each.content) for each in notes.comments] == [("[e-mail]", "I: [phone]")]
    assert [(each.author, each.value) for each in notes.ratings] == [("[e-mail]", "up")]


def test_file_opens_whatever_variable_is_listed():
    run = noted_run()
    plain = reopened(run, NO_MASKING)
    names = set(names_in(json.loads(plain.model_dump_json())))

    assert {"kind", "value", "target", "edge_type", "message", "type"} <= names
    for name in names:
        again = reopened(run, MaskingOptions(variables=(name,)))
        assert again.notes.ratings[0].value == "up"
        assert again.notes.comments[0].target == TURN
        assert [each.type for each in again.graph().edge_configs] == [
            each.type for each in plain.graph().edge_configs
        ]
