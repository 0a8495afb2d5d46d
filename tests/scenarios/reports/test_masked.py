from __future__ import annotations

from dataclasses import replace

from debugger.boundary import MaskingOptions
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import Run
from debugger.scenarios.reports.masked import Sources, reported_results, without_secrets
from tests.support.exports import exported
from tests.support.suites import check, result, suite


def test_terminal_masks_secrets_in_urls():
    url = "https://me:hush@tea.example/?api_key=hush"

    [found] = without_secrets(result("failed", check(got=f"'{url}'"), path=url, error=url)).repetitions

    assert "hush" not in f"{found.checks[0].text} {found.path} {found.error}"


def test_terminal_masks_parts_of_secret_variables():
    made = check("'hush'", "'hush'", variable={"name": "runtime.credentials.value", "equals": "hush"})

    [found] = without_secrets(result("failed", made)).repetitions

    assert found.checks[0].text == "expected ***; got ***"


def test_terminal_masks_keys_in_texts():
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"

    [found] = without_secrets(result("failed", check(got=f"my key is {key}"), error=key)).repetitions

    assert (found.checks[0].got, found.error) == ("my key is [key]", "[key]")


def test_values_of_hidden_columns_are_masked_everywhere():
    row = {"full_name": "Ada Moreno", "day": "Monday"}
    made = result(
        "failed", check("a message that contains 'Hello Ada Moreno, on Monday'"), row=row, row_number=1
    )
    sources = Sources(masking=MaskingOptions(variables=("full_name",)))

    [reported] = reported_results(suite(made), sources)

    assert reported.result.row == {"full_name": "[hidden]", "day": "Monday"}
    expected = reported.result.repetitions[0].checks[0].expected
    assert expected == "a message that contains 'Hello [hidden], on Monday'"


def test_hidden_values_of_all_repetitions_are_masked():
    names = {"1" * 24: "Ada Moreno", "2" * 24: "Grace Hopper"}
    made = [result("failed", check(got=f"'Hello {name}'"), run_id=key) for key, name in names.items()]
    both = replace(made[0], repetitions=[each.repetitions[0] for each in made])

    def read_run(_, run_id):
        pair = {
            "run_input": {"dynamic_variables": {"full_name": names[run_id]}},
            "run_output": {"events": []},
        }
        record = {"workflow_run_id": run_id, "workflow_id": "3" * 24, "status": "completed"}
        return exported(Run.from_wire({**record, "input_output_pairs": [pair]}))

    sources = Sources(read_run, masking=MaskingOptions(variables=("full_name",)))

    [reported] = reported_results(suite(both), sources)

    assert [each.checks[0].got for each in reported.result.repetitions] == ["'Hello [hidden]'"] * 2


def test_values_of_all_repetitions_are_masked_by_rules():
    numbers = {"1" * 24: "QX-77-AB", "2" * 24: "ZY-88-CD"}
    made = [result("failed", check(got=f"'It is {number}'"), run_id=key) for key, number in numbers.items()]
    both = replace(made[0], repetitions=[each.repetitions[0] for each in made])

    def read_run(_, run_id):
        pair = {
            "run_input": {"dynamic_variables": {"passport_number": numbers[run_id]}},
            "run_output": {"events": []},
        }
        record = {"workflow_run_id": run_id, "workflow_id": "3" * 24, "status": "completed"}
        return exported(Run.from_wire({**record, "input_output_pairs": [pair]}))

    [reported] = reported_results(suite(both), Sources(read_run))

    assert [each.checks[0].got for each in reported.result.repetitions] == ["'It is [id]'"] * 2


def test_reviewers_in_a_report_are_told_apart():
    """Names of reviewers stay, as in exports of the same run."""
    run_id, record = "1" * 24, {"workflow_id": "3" * 24, "status": "completed"}
    verdicts = [
        Verdict(run_id=run_id, target=Target(), value="fail", reviewer=f"{name}@example.org")
        for name in ("ada", "bob")
    ]
    run = replace(exported(Run.from_wire({"workflow_run_id": run_id, **record})), verdicts=verdicts)
    made = suite(result("failed", check(got="'Hi'"), run_id=run_id))

    [reported] = reported_results(made, Sources(lambda *_: run))

    assert reported.run.remarks == ["ada@example.org (fail)", "bob@example.org (fail)"]
