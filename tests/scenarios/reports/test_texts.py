from __future__ import annotations

import io
from dataclasses import replace

import pytest

from debugger.scenarios.reports import REPORTS
from debugger.scenarios.reports.masked import Sources
from debugger.scenarios.reports.texts import failure_lines
from tests.support.suites import check, result, suite


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_the_cause(name):
    failed = replace(
        check(), why="Left at 'Desk': false ([[n]] > 3); call 555-010-9988, mail ada@example.com"
    )
    file = io.BytesIO()

    REPORTS[name](file, suite(result("failed", failed)), Sources())

    text = file.getvalue().decode()
    assert "Left at" in text
    assert "[[n]]" in text
    assert "ada@example.com" not in text
    assert "[e-mail]" in text


def test_cause_follows_what_was_found():
    failed = replace(check(), why="Left at 'Desk'")

    lines = list(failure_lines(result("failed", failed)))

    assert lines[1:4] == [
        "  expected: a message that contains 'Tuesday'",
        "  got:      'Which day suits you?'",
        "  why:      Left at 'Desk'",
    ]
