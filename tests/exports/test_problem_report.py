from __future__ import annotations

import pytest

from debugger.errors import DebuggerError, InputError, InputJsonError, ServerError
from debugger.exports.problem_report import Failure, ReportMasker, exception_places, problem_report
from debugger.settings import HostedSettings, Settings

SETTINGS = Settings(
    database="postgresql+psycopg://ada:planted-password@db.example/runs",
    encryption_key="planted-encryption-key",
    roles="ada@example.com=admin",
    author="Ada Lovelace",
    default_model="custom_llm llama3 http://ada:planted-model-key@localhost:11434/v1",
    max_node_runs=7,
    time_zone="Europe/Berlin",
    hosted=HostedSettings(base_url="https://api.example/planted-path", api_key="planted-hosted-key"),
)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as found:
        return found


def test_report_names_failure_versions_and_settings():
    error = raised(InputError("The value is no number.", advice="Correct it."))

    report = problem_report(
        Failure("send", error),
        SETTINGS,
        ReportMasker(SETTINGS),
        facts={"Run id": "run-1", "Turn": 3},
        log=["09:00:00 WARNING debugger.store: the store is slow"],
    )

    assert "Failed action: send\nError: InputError\nText: The value is no number. Correct it.\n" in report
    assert "Run id: run-1\nTurn: 3\n" in report
    assert "Database: postgresql\n" in report
    assert "max_node_runs: 7\n" in report
    assert "time_zone: Europe/Berlin\n" in report
    assert "encryption_key: set\n" in report
    assert "hosted.api_key: set\n" in report
    assert "knowledge: not set\n" in report
    assert "(1)\n09:00:00 WARNING debugger.store: the store is slow\n" in report


def test_report_has_no_planted_secret(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_CRM", "planted-crm-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "planted-openai-key")
    error = ServerError(
        "planted-hosted-key and planted-crm-secret failed at "
        "https://u:planted-user@api.example/x?token=planted-token, with planted-password, "
        "planted-openai-key and planted-entered-key for planted@example.com.",
        request_id="planted-entered-key",
    )
    error.__cause__ = ValueError("planted-cause")
    log = ["09:00:00 ERROR debugger: call +49 170 1234567 with Bearer planted-entered-key, api_key=planted9x"]

    masker = ReportMasker(SETTINGS, ["planted-entered-key"])
    report = problem_report(Failure("send", error), SETTINGS, masker, log=log)

    assert "planted" not in report
    assert "1234567" not in report
    assert "Ada" not in report and "ada@" not in report
    assert "builtins.ValueError" in report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("phone is '+49 170', which is no number", "phone is '[hidden]', which is no number"),
        ('age is "it\'s 42", as in “forty two”', 'age is "[hidden]", as in “[hidden]”'),
        (
            "Node 'Reception' doesn't read the user's 'Mia'",
            "Node 'Reception' doesn't read the user's '[hidden]'",
        ),
        ("the slot holds Ada Byron, not a list", "the slot holds [hidden], not a list"),
        ("no run '665f0c2b9a3e4d5f6a7b8c90'", "no run '665f0c2b9a3e4d5f6a7b8c90'"),
        ("I want pills", "[hidden]"),
    ],
)
def test_masker_hides_values_and_quotations(text, expected):
    masker = ReportMasker(Settings(), values=[{"slot": ["Ada Byron"]}, "I want pills"], names={"Reception"})

    assert masker.mask([text]) == [expected]


def test_masker_holds_values_of_any_size():
    values = [{"long": "x" * 10_000_000, "many": [f"value {number}" for number in range(100_000)]}]
    masker = ReportMasker(Settings(), values=values)

    assert masker.mask(["it is value 99999, not a list", "or 12"]) == ["it is [hidden], not a list", "or 12"]


def test_report_leaves_out_excerpt_of_text():
    error = InputJsonError("This is not JSON.\n{planted", line=2, column=5)

    report = problem_report(Failure("start", error), Settings(), ReportMasker(Settings()))

    assert "Text: This is not JSON.\nPlace: line 2, column 5\n" in report
    assert "planted" not in report


def test_exception_places_name_file_and_function_only():
    error = DebuggerError("planted")
    error.__cause__ = raised(KeyError("planted"))

    lines = list(exception_places(error))

    assert lines[:2] == ["debugger.errors.DebuggerError", "builtins.KeyError"]
    assert lines[2].startswith("  test_problem_report.py:") and lines[2].endswith(" in raised")
    assert "planted" not in "".join(lines)


def test_report_on_program_has_no_log():
    report = problem_report(None, Settings(), ReportMasker(Settings()))

    assert "Versions\nworkflow-debugger: " in report
    assert "log lines" not in report
