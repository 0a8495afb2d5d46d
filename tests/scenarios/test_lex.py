"""Tests of test sets with the columns of Amazon Lex."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from debugger.errors import InputError
from debugger.exports.csv_files import CsvOptions
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES
from debugger.scenarios.editing import write_yaml
from debugger.scenarios.lex import scenarios_from_lex, write_lex
from debugger.scenarios.loading import load_text
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.scenarios import CONVERSATIONS, draft_of, embedded, talk

CLINIC = Workflow.from_document(SAMPLES[-1].load_documents()[-1])
SHEET = """\
Line #,Conversation #,Source,Input,Expected Output Intent,Expected Output Slot 1,Expected Output Slot 2
1,1,User,I'd like to book an appointment.,book,,
2,1,Agent,May I have your full name,,,
3,1,User,My name is Ada Moreno.,Booking questions,full_name = Ada Moreno,tries = 2
4,N/A,User,Can I talk to a real person?,,,
5,N/A,User,I have a question about my bill.,billing,,
"""


def _sheet(scenarios, results=None) -> bytes:
    out = io.BytesIO()
    write_lex(out, scenarios, CsvOptions(), results)
    return out.getvalue()


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_scenarios_from_lex_reads_a_sheet_of_lex() -> None:
    first, person, bill = scenarios_from_lex(SHEET.encode(), "clinic.csv", CLINIC, "workflow_clinic")

    assert first == {
        "version": 1,
        "name": "clinic, conversation 1",
        "workflow": "workflow_clinic",
        "turns": [
            {
                "say": "I'd like to book an appointment.",
                "expect": [{"edge_taken": "book"}, {"says": "May I have your full name"}],
            },
            {
                "say": "My name is Ada Moreno.",
                "expect": [
                    {"reached": "Booking questions"},
                    {"variable": {"name": "runtime.full_name", "equals": "Ada Moreno"}},
                    {"variable": {"name": "runtime.tries", "one_of": ["2", 2]}},
                ],
            },
        ],
    }
    assert (person["name"], person["turns"]) == (
        "clinic, line 5",
        [{"say": "Can I talk to a real person?"}],
    )
    assert bill["turns"][0]["expect"] == [{"edge_taken": "billing"}]


@pytest.mark.parametrize("name", ["Clinic front desk: demo", "Lab results line: demo"])
def test_write_lex_loses_nothing(name: str) -> None:
    draft = draft_of(talk(embedded(), *CONVERSATIONS[name]))
    draft.head |= {"tags": ["smoke"], "seed": 7, "input": {"dynamic_variables": {"a": [1, "=2"]}}}
    draft.turns.insert(1, {"advance": 2})
    draft.proposals = [replace(one, is_ticked=True) for one in draft.proposals]
    scenario = {**draft.to_json(), "expect": [{"at_most": {"turns": 9}}]}

    content = _sheet([scenario, scenario])

    assert scenarios_from_lex(content, "a.csv", CLINIC, "other") == [scenario, scenario]


def test_scenarios_from_lex_takes_edited_cells() -> None:
    scenario = {
        "version": 1,
        "name": "One",
        "workflow": "w",
        "turns": [
            {
                "say": "Hi",
                "expect": [
                    {"status": "completed"},
                    {"says": "Hello"},
                    {"edge_taken": "book"},
                    {"variable": {"name": "runtime.a", "equals": 1}},
                ],
            }
        ],
    }
    text = (
        _sheet([scenario])
        .decode()
        .replace(",Hi,book,a = 1", ",Good day,billing,")
        .replace("Agent,Hello", "Agent,Bye")
    )

    (found,) = scenarios_from_lex(text.encode(), "a.csv", CLINIC, "w")

    assert found["turns"] == [
        {"say": "Good day", "expect": [{"status": "completed"}, {"edge_taken": "billing"}, {"says": "Bye"}]}
    ]


def test_write_lex_appends_results() -> None:
    scenarios = scenarios_from_lex(SHEET.encode(), "clinic.csv", CLINIC, "workflow_clinic_front_desk")
    backend = embedded()

    with ScenarioRunner(lambda _: backend, Settings()) as runner:
        results = [each for one in scenarios for each in runner.run(load_text(write_yaml(one), Path()))]
    rows = _rows(_sheet(scenarios, results))

    assert [(row["Source"], row["Result"]) for row in rows] == [
        ("User", "pass"),
        ("Agent", "pass"),
        ("User", "fail"),
        ("User", ""),
        ("User", "pass"),
    ]
    assert 'expected that runtime.tries is one of ["2", 2]; got no value' in rows[2]["Got"]


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("a,b\n1,2\n", "no column 'input'"),
        ("Source,Input\nUser,Hi\n", "no column 'conversation #'"),
        ("Conversation #,Source,Input\n", "has no lines"),
        ("Conversation #,Source,Input\n1,Robot,Hi\n", "Row 2 .* has the source 'Robot'"),
        ("Conversation #,Source,Input,Scenario\n1,User,Hi,{\n", "Row 2 .* no JSON in the column Scenario"),
    ],
)
def test_scenarios_from_lex_refuses_other_sheets(sheet: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scenarios_from_lex(sheet.encode(), "a.csv", CLINIC, "w")


def test_line_without_its_cells_is_named():
    with pytest.raises(InputError, match=r"Row 3 of the sheet 'set\.csv' has the source ''"):
        scenarios_from_lex(
            b"Line #,Conversation #,Source,Input\n1,1,User,Hi\n2\n", "set.csv", CLINIC, "clinic"
        )


def test_placeholders_of_a_sheet_of_lex_are_texts():
    header = "Line #,Conversation #,Source,Input,Expected Output Intent,Expected Output Slot 1\n"
    sheet = header + "1,1,User,I am {{name}},,note = {{x}}\n2,1,Agent,Hello {{name}},,\n"

    [made] = scenarios_from_lex(sheet.encode(), "tea.csv", CLINIC, "workflow_clinic")
    [(_, _, case)] = load_text(write_yaml(made), Path()).cases()
    [again] = scenarios_from_lex(_sheet([made]), "tea.csv", CLINIC, "workflow_clinic")

    note, said = case.turns[0].expect
    assert (case.turns[0].say, said.says.contains) == ("I am {{name}}", "Hello {{name}}")
    assert note.variable.comparison == ("equals", "{{x}}")
    assert again == made
