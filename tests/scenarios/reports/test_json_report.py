from __future__ import annotations

import io
import json
from dataclasses import replace

from debugger.scenarios.reports.json_report import write_json
from debugger.scenarios.reports.masked import Sources
from debugger.scenarios.results import RanWorkflow
from tests.support.suites import check, result, scenario, suite


def test_json_has_every_check():
    failed = result(
        "failed",
        check(passed=True, turn=1),
        check(message="Offers a day", soft=True),
        made=scenario(tags=["smoke"]),
        row={"mail": "ada@example.com", "password": "x"},
        row_number=1,
    )
    file = io.BytesIO()

    write_json(file, suite(failed, dispositions={failed.id: "new"}, not_run=["a::b"]), Sources())

    read = json.loads(file.getvalue())
    assert (read["format"], read["version"]) == ("workflow-debugger-suite", 1)
    assert read["counts"] == {"passed": 0, "failed": 1, "error": 0, "not_run": 1}
    (written,) = read["results"]
    assert written["id"] == "clinic/booking.scenario.yaml::Booking[row 1]"
    assert written["disposition"] == "new"
    assert written["row"]["mail"] == "[e-mail]"
    assert "x" not in written["row"]["password"]
    first, second = written["repetitions"][0]["checks"]
    assert first["passed"]
    assert second == {
        "kind": "says",
        "turn": 2,
        "message": "Offers a day",
        "soft": True,
        "passed": False,
        "expected": "a message that contains 'Tuesday'",
        "why": "",
        "got": "'Which day suits you?'",
        "event": 4,
    }


def test_json_has_workflow_that_ran():
    ran = RanWorkflow("Tea shop", 2, "digest", made_with=1)
    made = result()
    made = replace(made, repetitions=[replace(made.repetitions[0], ran=ran), made.repetitions[0]])
    file = io.BytesIO()

    write_json(file, suite(made), Sources())

    [written] = json.loads(file.getvalue())["results"]
    assert written["workflow_version"] == 2
    assert [each["workflow"] for each in written["repetitions"]] == [
        {"name": "Tea shop", "version": 2, "made_with_version": 1},
        None,
    ]
