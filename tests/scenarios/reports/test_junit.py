from __future__ import annotations

import io

from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import JUnitXml

from debugger.scenarios.reports.junit import write_junit
from debugger.scenarios.reports.masked import Sources
from debugger.scenarios.reports.texts import app_link
from tests.support.suites import check, result, scenario, suite


def junit(made, sources=None):
    file = io.BytesIO()
    write_junit(file, made, sources or Sources())
    return JUnitXml.fromstring(file.getvalue())


def test_junit_tells_failures_from_errors():
    other = scenario("Hours", tags=["smoke"], seed=7)
    made = suite(
        result(),
        result("failed", check(), made=other),
        result("error", error="The server cannot be reached.", file="b.scenario.yaml", run_id=None),
        not_run=["b.scenario.yaml::Late"],
        reason="--bail",
    )

    read = junit(made)

    assert (read.tests, read.failures, read.errors) == (4, 1, 1)
    assert [(group.name, group.tests, group.skipped) for group in read] == [
        ("clinic/booking.scenario.yaml", 2, 0),
        ("b.scenario.yaml", 2, 1),
    ]
    cases = {case.name: case for group in read for case in group}
    assert cases["Booking"].classname in ("clinic/booking", "b")
    assert {type(each) for each in cases["Hours"].result} == {Failure}
    assert cases["Late"].result[0].message == "not run: --bail"
    assert isinstance(cases["Late"].result[0], Skipped)
    errors = [
        case for group in read for case in group if any(isinstance(each, Error) for each in case.result)
    ]
    assert [(case.classname, case.result[0].message) for case in errors] == [
        ("b", "The server cannot be reached.")
    ]


def test_junit_failure_has_the_whole_message():
    made = suite(result("failed", check(message="Offers a day")), dispositions={})

    (case,) = next(iter(junit(made, Sources(link=app_link("http://localhost:8501")))))

    (failure,) = case.result
    assert failure.type == "says"
    assert failure.message == (
        "turn 2: Offers a day: expected a message that contains 'Tuesday'; got 'Which day suits you?'"
    )
    assert failure.text.splitlines() == [
        "Turn 2: Offers a day",
        "  expected: a message that contains 'Tuesday'",
        "  got:      'Which day suits you?'",
        "  nearest event: 4, http://localhost:8501/?backend=embedded&run=000000000000000000000001&event=4",
        "Path: Greeting > book > Intake",
        "Run: http://localhost:8501/?backend=embedded&run=000000000000000000000001",
    ]


def test_junit_properties_identify_the_run():
    made = scenario("Hours", tags=["smoke", "fast"], seed=7, workflow_version=3)
    failed = result("failed", check(), made=made, row={"day": "Monday"}, row_number=2)

    (case,) = next(iter(junit(suite(failed, dispositions={failed.id: "known"}))))

    assert case.name == "Hours[row 2]"
    assert {each.name: each.value for each in case.properties()} == {
        "workflow": "clinic.json",
        "workflow_version": "3",
        "connection": "embedded",
        "seed": "7",
        "tags": "smoke, fast",
        "disposition": "known",
        "run_id": "000000000000000000000001",
    }


def test_junit_takes_any_text():
    made = suite(result("failed", check(got="a \x00 \x1b[31m <b> & ]]> \ud800 ok")))

    (case,) = next(iter(junit(made)))

    assert "<b> & ]]>" in case.result[0].message


def test_junit_masks_personal_data():
    soft = check(got="'Your number is +1 555 010 9988'", soft=True)
    mail = check("runtime.email is 'x'", "'ada'", variable={"name": "runtime.email", "equals": "x"})

    (case,) = next(iter(junit(suite(result("failed", mail, soft)))))

    assert case.result[0].message == "turn 2: expected [e-mail]; got [e-mail]"
    assert "555" not in case.system_out
    assert "[phone]" in case.system_out
