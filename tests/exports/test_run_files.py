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
from debugger.protocol.reviews import MAX_REVIEWER_CHARACTERS, Verdict
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


def test_texts_of_verdicts_are_masked():
    run = noted_run()
    verdict = Verdict(
        run_id=run.run.workflow_run_id,
        target=TURN,
        value="fail",
        reviewer="b@x.de",
        comment="I: +49 171 1234567",
        checks={"mails ada@example.org": "fail", "mails bob@example.org": "pass", "greets": "pass"},
        connection="clinic",
        created_at="2026-12-01T10:00:00.000Z",
        updated_at="2026-12-02T10:00:00.000Z",
    )

    [found] = reopened(replace(run, verdicts=[verdict]), MaskingOptions()).verdicts

    assert (found.target, found.value, found.reviewer, found.comment) == (
        TURN,
        "fail",
        "[e-mail]",
        "I: [phone]",
    )
    assert found.checks == {"mails [e-mail]": "fail", "mails [e-mail] 2": "pass", "greets": "pass"}
    assert (found.created_at, found.updated_at) == (verdict.created_at, verdict.updated_at)
    assert found.model_extra == {}


def test_masked_reviewers_keep_their_own_verdicts():
    run = noted_run()
    given = [("a@x.de", TURN), ("b@x.de", TURN), ("a@x.de", Target()), ("a@x.de" * 33, TURN)]
    verdicts = [
        Verdict(run_id=run.run.workflow_run_id, target=target, value="pass", reviewer=reviewer)
        for reviewer, target in given
    ]

    found = reopened(replace(run, verdicts=verdicts), MaskingOptions()).verdicts

    assert [each.reviewer for each in found[:3]] == ["[e-mail]", "[e-mail] 2", "[e-mail]"]
    assert len(found[3].reviewer) <= MAX_REVIEWER_CHARACTERS


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
