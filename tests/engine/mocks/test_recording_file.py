from __future__ import annotations

import json

import pytest

from debugger.engine.mocks.recording import CallRequest, RecordedCall, RecordedTurn
from debugger.engine.mocks.recording_file import MAX_BYTES, Recording
from debugger.errors import InputError

MADE = Recording(
    calls=(
        RecordedCall(
            1, CallRequest("model", "a", "say", {"system": "Ü\x7f\ud800\u2028\x85"}), {"text": "Hi"}, 12.5
        ),
        RecordedCall(2, CallRequest("service", "b", "http", {}), {"how": "live", "error": None}),
    ),
    turns=(
        RecordedTurn(1, 1_790_000_000.125, {"command": "start"}, 2**63),
        RecordedTurn(2, 1_790_000_005.0, {}, times={"poll": [1_790_000_005.0000012]}),
    ),
    workflow={"name": "Clinic", "logical_id": "clinic"},
)
HEAD = '{"recording": 1}'
CALL = {"turn": 1, "kind": "model", "node": "a", "name": "say", "request": {}, "answer": {}}


def test_file_has_one_call_a_line_and_is_read_back():
    text = MADE.to_text()

    assert [sorted(json.loads(line)) for line in text.split("\n")[:-1]] == [
        ["recorded_at", "recording", "workflow"],
        ["at", "input", "seed", "turn"],
        ["after", "answer", "kind", "milliseconds", "name", "node", "request", "turn"],
        ["at", "input", "seed", "times", "turn"],
        ["after", "answer", "kind", "milliseconds", "name", "node", "request", "turn"],
    ]
    assert Recording.of_text(text, "file") == MADE


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f is empty"),
        ("{}", "f is no recording, or one of a newer version"),
        ('{"recording": 2}', "f is no recording, or one of a newer version"),
        ("[]", "f, line 1: it is no object"),
        ("{", "f, line 1: "),
        (f"{HEAD}\n\n{{}}", "f, line 3: 'at' is missing"),
        (f'{HEAD}\n{{"turn": 1, "at": "soon", "input": {{}}}}', "f, line 2: Invalid isoformat"),
        (
            f'{HEAD}\n{{"turn": 1e400, "at": "2026-01-01", "input": {{}}, "seed": 1}}',
            "f, line 2: cannot convert",
        ),
        (f'{HEAD}\n{{"turn": 1, "at": "2026-01-01", "input": 3}}', "f, line 2: 'input' is no object"),
        (
            f'{HEAD}\n{{"turn": 1, "at": "2026-01-01", "input": {{}}, "seed": 1, "times": {{"a": ["nan"]}}}}',
            "f, line 2: a time of 'times' has no end",
        ),
        (
            f"{HEAD}\n{json.dumps({**CALL, 'kind': 'odd'})}",
            "f, line 2: 'odd' is none of model, tool, service",
        ),
        (f"{HEAD}\n{json.dumps({**CALL, 'answer': 'Hi'})}", "f, line 2: 'answer' is no object"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(text, problem):
    with pytest.raises(InputError) as caught:
        Recording.of_text(text, "f")

    assert caught.value.message.startswith(problem)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (tmp_path / "odd").write_bytes(b"\xff")

    for name, problem in (
        ("none", "none cannot be read"),
        ("large", "is larger than"),
        ("odd", "odd cannot be read"),
    ):
        with pytest.raises(InputError, match=problem):
            Recording.load(tmp_path / name)
