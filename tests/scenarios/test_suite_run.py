from __future__ import annotations

from tests.support.suites import check, result, suite


def test_summary_counts_all_kinds():
    failed = result("failed", check(), check(soft=True))
    error = result("error", file="b.scenario.yaml")
    made = suite(
        result(), failed, error, dispositions={failed.id: "flaky"}, not_run=["c::d"], reason="interrupted"
    )

    assert made.summary == (
        "1 passed, 1 failed (1 flaky), 1 with an error, 1 warning, 1 not run (interrupted) in 2.0 s"
    )


def test_problems_begin_with_failures():
    made = suite(result("error"), result(), result("failed", check()))

    assert [each.outcome for each in made.problems] == ["failed", "error"]
