from __future__ import annotations

from dataclasses import replace

import pytest

from debugger.scenarios.results import RanWorkflow
from tests.support.suites import check, result, scenario, suite


def test_summary_counts_all_kinds():
    failed = result("failed", check(), check(soft=True))
    error = result("error", file="b.scenario.yaml")
    made = suite(
        result(), failed, error, dispositions={failed.id: "flaky"}, not_run=["c::d"], reason="interrupted"
    )

    assert made.summary == (
        "1 passed, 1 failed (1 flaky), 1 with an error, 1 warning, 1 not run (interrupted) in 2.0 s"
    )


def test_summary_counts_passes_that_were_flaky():
    once = result("failed", check()).repetitions
    flaky = result(made=scenario(repeat={"times": 2, "passes": 1}))

    made = suite(result(file="a"), replace(flaky, repetitions=[*once, *flaky.repetitions]))

    assert made.summary == "2 passed (1 flaky) in 2.0 s"


def test_problems_begin_with_failures():
    made = suite(result("error"), result(), result("failed", check()))

    assert [each.outcome for each in made.problems] == ["failed", "error"]


@pytest.mark.parametrize(
    ("version", "made_with", "words"),
    [
        (2, 1, "Tea shop, version 2, made with version 1"),
        (0, None, "Tea shop, version 0"),
        (None, None, "Tea shop"),
    ],
)
def test_workflow_that_ran_is_told_in_words(version, made_with, words):
    assert RanWorkflow("Tea shop", version, "digest", made_with).words == words
