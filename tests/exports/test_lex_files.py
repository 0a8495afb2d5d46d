from __future__ import annotations

import csv
import io

from debugger.exports.presets import LEX
from debugger.exports.sources import RunReader
from debugger.protocol.runs import Run
from tests.support.clinic import CALL, clinic_call
from tests.support.exports import exported, options, written

FIXED = ["Line #", "Conversation #", "Source", "Input", "Expected Output Intent"]


def parse(data):
    """Read a test set as the documents of Lex describe it, and refuse what they do not name."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    header, *lines = rows
    slots = header[len(FIXED) :]
    assert header[: len(FIXED)] == FIXED
    assert slots == [f"Expected Output Slot {number}" for number in range(1, len(slots) + 1)]
    assert slots
    conversations = []
    for number, line in enumerate(lines, start=1):
        assert len(line) == len(header)
        assert int(line[0]) == number
        place, source, said, intent, values = int(line[1]), line[2], line[3], line[4], line[5:]
        assert source in ("User", "Agent")
        assert said
        if place == len(conversations) + 1:
            conversations.append([])
        assert place == len(conversations)
        filled = [value for value in values if value]
        assert values == filled + [""] * (len(values) - len(filled))
        assert all(value.partition(" = ")[1] for value in filled)
        assert source == "User" or not (intent or filled)
        conversations[-1].append((source, said, intent, filled))
    return conversations


def test_lex_file_is_accepted_by_its_documented_columns():
    backend, run_id = clinic_call()
    reader = RunReader(backend, backend.store)

    first, second = parse(written(reader.read([run_id, run_id]), options(preset=LEX)))

    assert first == second
    users = [line for line in first if line[0] == "User"]
    assert [line[1] for line in users][2:] == list(CALL)[2:]
    assert [line[2] for line in users][:2] == ["book", "incomplete"]
    assert users[1][3] == ["full_name = Ada Moreno", "date_of_birth = [birth date]"]
    assert first[0][0] == "Agent"


def test_lex_file_without_runs_has_a_header():
    assert parse(written([], options(preset=LEX))) == []


def test_lex_file_takes_long_messages():
    text = "x" * 1_200_000
    pair = {"run_input": {}, "run_output": {"events": [{"type": "assistant_response", "content": text}]}}
    record = {"workflow_run_id": "0" * 24, "workflow_id": "1" * 24, "status": "completed"}
    run = exported(Run.from_wire({**record, "input_output_pairs": [pair]}))

    assert text.encode() in written([run], options(preset=LEX))
