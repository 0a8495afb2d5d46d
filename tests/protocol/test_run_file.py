from __future__ import annotations

import json

import pytest

from debugger.errors import InputError
from debugger.protocol.notes import Comment, RunNotes, Target
from debugger.protocol.reviews import RunVerdict
from debugger.protocol.run_file import RunFile, read_run_file, write_run_file
from tests.support.factories import document, say

RUN = {
    "workflow_run_id": "665f0c2b9a3e4d5f6a7b8c90",
    "workflow_id": "665f00000000000000000001",
    "version_number": 3,
    "status": "completed",
    "unknown": 2**70,
}


def file_text(**changes):
    found = json.loads(write_run_file(RunFile(run=RUN, workflow=document(say("chat")))))
    return json.dumps({**found, **changes}).encode()


def test_a_file_is_read_as_it_was_written():
    comment = Comment(
        logical_id="comment_1",
        target=Target.turn(2),
        author="Ada",
        content="Slow.",
        created_at="2026-07-01T10:00:00.000Z",
    )
    file = RunFile(
        run=RUN,
        workflow=document(say("chat")),
        engine="Embedded engine",
        notes=RunNotes(starred=True, tags=["smoke"], note="twice", comments=[comment]),
    )

    again = read_run_file(write_run_file(file))

    assert again == file
    assert again.record().to_wire()["unknown"] == 2**70
    assert again.graph().node_configs[0].logical_id == "chat"


def test_verdicts_are_in_the_file_only_where_given():
    verdict = RunVerdict(target=Target.message(3), value="fail", reviewer="Ada", checks={"greets": "pass"})

    again = read_run_file(write_run_file(RunFile(run=RUN, verdicts=[verdict])))

    assert again.verdicts == [verdict]
    assert "verdicts" not in json.loads(write_run_file(RunFile(run=RUN)))
    assert read_run_file(write_run_file(RunFile(run=RUN))).verdicts == []


def a_verdict(**changes):
    return {"target": {"kind": "turn", "key": "1"}, "value": "pass", "reviewer": "Ada", **changes}


def test_a_record_as_the_api_answers_it_can_be_read_too():
    answer = {"workflow_run": {"_id": "x", "created_at": "2026-07-01T10:00:00Z", "workflow_run": RUN}}

    file = read_run_file(json.dumps(answer).encode())

    assert file.record().created_at == "2026-07-01T10:00:00Z"
    assert file.graph().node_configs == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"Tea", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a run"),
        (json.dumps(document(say("chat"))).encode(), "not a run"),
        (file_text(format_version=2), "format version 2"),
        (file_text(run=None), "run: "),
        (file_text(run={**RUN, "status": "asleep"}), "status"),
        (file_text(run={"status": "completed"}), "workflow_run_id"),
        (file_text(run={**RUN, "workflow_run_id": "../run"}), "../run"),
        (file_text(run={**RUN, "workflow_id": "tea"}), "tea"),
        (file_text(run={**RUN, "input_output_pairs": [{"run_input": 7}]}), "run_input"),
        (file_text(run={**RUN, "input_output_pairs": [{"run_output": {"events": [{"type": 7}]}}]}), "type"),
        (file_text(workflow={"nodes": []}), "not a workflow"),
        (file_text(notes={"starred": "very"}), "starred"),
        (file_text(verdicts={"value": "pass"}), "verdicts: "),
        (file_text(verdicts=[a_verdict(value="good")]), "verdicts.0.value: "),
        (file_text(verdicts=[a_verdict(), a_verdict(reviewer=" ")]), "verdicts.1: The name of a reviewer"),
        (
            file_text(verdicts=[a_verdict(target={"kind": "turn", "key": "0"})]),
            "verdicts.0: A run has no turn",
        ),
        (
            file_text(verdicts=[a_verdict(target={"kind": "event", "key": "e"})]),
            "verdicts.0: A verdict is on",
        ),
        (file_text(verdicts=[a_verdict(checks={"greets": "good"})]), "verdicts.0.checks.greets: "),
        (file_text(verdicts=[a_verdict(), a_verdict()]), "verdicts.1: Ada has another verdict on turn 1"),
    ],
)
def test_what_is_no_file_of_a_run_is_refused_by_name(data, told):
    with pytest.raises(InputError) as caught:
        read_run_file(data)

    assert told in caught.value.message
