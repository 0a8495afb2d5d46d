"""The masked export of fifty runs beside the unmasked one, cell by cell.

``python -m tests.exports.test_masked_spans`` prints each masked span.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

from debugger.analysis.timeline import MAX_SUMMARY, shorten
from debugger.backends.embedded import EmbeddedBackend
from debugger.boundary import Boundary, Kind, MaskingOptions
from debugger.exports.columns import COLUMNS, columns_of
from debugger.exports.records import ExportedRun
from debugger.exports.rows import export_rows
from debugger.exports.table import register_run
from debugger.protocol.runs import TurnInput
from debugger.samples import SAMPLES
from debugger.settings import Settings
from tests.support.exports import NO_MASKING, options, written
from tests.support.factories import Json

RUNS = 50
PERSONAL = {
    "4111 1111 1111 1111": "[card]",
    "5105105105105100": "[card]",
    "378282246310005": "[card]",
    "ada.moreno+tea@example.org": "[e-mail]",
    "+49 171 1234567": "[phone]",
    "(555) 123-4567": "[phone]",
    "555-0142": "[phone]",
    "078-05-1120": "[id]",
    "sk-proj-abcdEFGH12345678": "[key]",
    "q7Rk2Vx9Lm4Tz8Wp3Nc6Yb1Hd5Gs0JfA": "[key]",
}
"""What the users of the runs say, and what an export has instead."""
BORN = {"3 March 1990": "[birth date]", "1990-03-03": "[birth date]"}
OF_SAMPLES = {"555-0100": "[phone]", "555-0178": "[phone]", "+12025550143": "[phone]"}
"""Phone numbers of the packaged samples."""
NOTED = ("2026-11-28", "[birth date]")
"""What the built-in rules note as a date of birth, and say under that name."""
HARMLESS = [
    "2026-11-28T10:00:00.123456Z",
    "28.11.2026 at 10:30",
    "1796114953859",
    "1796114953",
    "65820871-c923-4aae-80e7-000000000014",
    "665f0c2b9a3e4d5f6a7b8c90",
    "order TKT-20431, room 12 34",
    "4111 1111 1111 1112",
    "EUR 1.234.567",
    "version 1.2.3 at 192.168.1.100",
    "9 am to 6 pm",
]
OWN_NAMES = ["Line 555-123-4567", "4012888888881881", "AB 12 34 56 C", "Desk sk-proj-own1234567890"]
"""Names that the author of a workflow gives, and that look like personal data."""


def named(document: Json, number: int) -> Json:
    """Return a sample whose first nodes and edges have such names."""
    changed = deepcopy(document)
    for place, node in enumerate(changed["node_configs"][: len(OWN_NAMES)]):
        node["name"] = OWN_NAMES[(place + number) % len(OWN_NAMES)]
    for place, edge in enumerate(changed["edge_configs"][:2]):
        edge["name"] = OWN_NAMES[(place + number + 1) % len(OWN_NAMES)]
    return changed


def lines(number: int) -> list[str]:
    """Return what the user of a run says; in fifty runs everything is said."""
    personal, born = list(PERSONAL), list(BORN)
    undated = HARMLESS[2:]
    return [
        f"I need an appointment: {personal[number % len(personal)]}, {HARMLESS[number % len(HARMLESS)]}.",
        f"I was born on {born[number % len(born)]}.",
        f"Or {personal[(number * 3 + 1) % len(personal)]} and {undated[(number * 7 + 2) % len(undated)]}",
    ]


@cache
def runs() -> tuple[ExportedRun, ...]:
    """Play fifty runs of the packaged samples."""
    backend = EmbeddedBackend(Settings(database="sqlite://", responder="rules"))
    documents = [document for sample in SAMPLES for document in sample.load_documents()]
    made = []
    for number in range(RUNS):
        workflow = backend.create_workflow(named(documents[number % len(documents)], number))
        turn = backend.execute(workflow.id, TurnInput.with_message(None)).finish()
        for line in lines(number):
            if turn.status != "completed":
                said = TurnInput.with_message(line, command="data")
                turn = backend.execute(workflow.id, said, run_id=turn.run_id).finish()
        version = backend.workflow(workflow.id)
        made.append(ExportedRun(backend.record(turn.run_id), version, workflow_name=version.config.name))
    return tuple(made)


def rows(masking: MaskingOptions) -> list[dict[str, Any]]:
    """Return the rows of all events with every column but summaries, which are cut once they are masked."""
    names = [name for name in columns_of("event") if name != "summary"]
    chosen = options("jsonl", shape="event", masking=masking, columns=names)
    return [json.loads(line) for line in written(runs(), chosen).splitlines()][:-1]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the parts of a JSON value that are no objects or lists, with their paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def spans() -> Iterator[tuple[str, str, str]]:
    """Yield column or path in the payload, what was there, and the mark instead."""
    for plain, masked in zip(rows(NO_MASKING), rows(MaskingOptions()), strict=True):
        for column, value in plain.items():
            if column == "masked":
                continue
            pairs = zip(leaves(value), leaves(masked[column]), strict=True)
            for (path, before), (other, after) in pairs:
                assert path == other, f"the key of a name is masked: {path} {other}"
                if before == after:
                    continue
                assert isinstance(before, str), f"{column}{path} is no text: {before!r}"
                for found in changes(before, after):
                    yield (f"{column}{path}", *found)


MARKED = re.compile("|".join(map(re.escape, {*PERSONAL.values(), *BORN.values()})))


def changes(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield what was replaced in a text, with the mark; whatever is around the marks is equal."""
    around = "(.+?)".join(map(re.escape, MARKED.split(after)))
    found = re.fullmatch(around, before, re.DOTALL)
    assert found, (before, after)
    yield from zip(found.groups(), MARKED.findall(after), strict=True)


def test_every_masked_span_is_personal_data():
    right = {*PERSONAL.items(), *BORN.items(), *OF_SAMPLES.items(), NOTED}

    found = list(spans())

    by_name = {each for each in found if each[0].endswith("date_of_birth")}
    assert {mark for _, _, mark in by_name} == {"[birth date]"}
    assert {(before, mark) for path, before, mark in {*found} - by_name} == right
    kinds = {column.split(".")[0].split("[")[0] for column, _, _ in found}
    assert {COLUMNS[name].kind for name in kinds} == {Kind.RECORD}


def test_what_is_no_personal_data_is_in_both():
    texts = [json.dumps(rows(masking)) for masking in (NO_MASKING, MaskingOptions())]

    for harmless in [*HARMLESS, *OWN_NAMES]:
        plain, masked = (text.count(harmless) for text in texts)
        assert plain == masked > 0, harmless
    assert [text.count(value) for text in texts[1:] for value in (*PERSONAL, *BORN)] == [0] * 12


def test_summaries_are_cut_once_they_are_masked():
    chosen = options("jsonl", shape="event", columns=["summary"])
    boundary, whole = Boundary(), []
    for run in runs():
        register_run(boundary, run)
        whole += [boundary.release(Kind.TEXT, row.event.summary) for row in export_rows(run, "event")]

    summaries = [json.loads(line).get("summary") for line in written(runs(), chosen).splitlines()][:-1]

    assert summaries == [shorten(text) for text in whole]
    assert any(len(text) > MAX_SUMMARY for text in whole)


def test_column_masked_names_the_rules_of_its_row():
    for plain, masked in zip(rows(NO_MASKING), rows(MaskingOptions()), strict=True):
        is_changed = any(plain[name] != masked[name] for name in plain if name != "masked")
        assert bool(masked["masked"]) == is_changed


if __name__ == "__main__":
    listed = list(spans())
    for (place, before, mark), times in Counter(listed).most_common():
        print(f"{times:5} {mark:13} {before:40} {place}")
    print(len(runs()), "runs,", len(rows(NO_MASKING)), "rows,", len(listed), "spans")
