from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import update

from debugger.scenarios.history import SuiteHistory, compare_results, disposition_of
from debugger.scenarios.results import RanWorkflow, RepetitionResult
from debugger.scenarios.suite import load_cases
from debugger.store import Store, StoredResult
from debugger.store.schema import suite_runs
from debugger.store.suites import PastResult
from tests.support.factories import document, static
from tests.support.suites import check, result

FAILED = result("failed", check())
ONCE = replace(FAILED, repetitions=[*FAILED.repetitions, RepetitionResult("passed")])


@pytest.mark.parametrize(
    ("made", "past", "found"),
    [
        (result(), [], None),
        (FAILED, [], "new"),
        (FAILED, [("other", "passed")], "new"),
        (FAILED, [("other", "passed"), ("other", "failed")], "new"),
        (FAILED, [("same", "failed")], "known"),
        (FAILED, [("other", "error"), ("other", "passed")], "known"),
        (FAILED, [("same", "failed"), ("same", "passed")], "flaky"),
        (FAILED, [("same", "passed")], "flaky"),
        (ONCE, [], "flaky"),
    ],
)
def test_disposition_compares_with_earlier_results(made, past, found):
    assert disposition_of(made, "same", [PastResult(*each) for each in past]) == found


@pytest.fixture
def cases(tmp_path, monkeypatch):
    """Three cases of two files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello.json").write_text(json.dumps(document(static("hello", "Hello"))))
    head = "version: 1\nworkflow: hello.json\nturns: [{expect: [{says: '{{word}}'}]}]\n"
    (tmp_path / "a.scenario.yaml").write_text(head + "name: A\nrows: [{word: a}, {word: b}]\n")
    (tmp_path / "b.scenario.yaml").write_text(head.replace("{{word}}", "Hello") + "name: B\n")
    return load_cases([tmp_path])


def test_resumed_results_equal_the_recorded(cases):
    with closing(Store("sqlite://")) as store:
        history = SuiteHistory(store.suites, cases)
        history.begin("Ada")
        failed = cases[0].result(
            [
                RepetitionResult(
                    "failed",
                    [
                        check(variable={"name": "runtime.x", "equals": None}),
                        check(says={"not": "sorry"}, soft=True, message="Polite", passed=True),
                        check(at_most={"tokens": 5}),
                    ],
                    "0" * 24,
                    2,
                    "A > B",
                    0.5,
                )
            ]
        )
        error = cases[2].result([RepetitionResult("error", error="No server.")])
        for case, made in ((cases[0], failed), (cases[2], error)):
            history.record(case, made)
        history.end(is_complete=False)

        again = SuiteHistory(store.suites, cases)

        assert again.resume() == {failed.id: failed, error.id: error}
        assert again.suite_id == history.suite_id
        assert again.dispositions == {failed.id: "new", error.id: "new"}


def test_resume_leaves_changed_cases_out(cases, tmp_path):
    with closing(Store("sqlite://")) as store:
        history = SuiteHistory(store.suites, cases)
        history.begin("Ada")
        for case in cases:
            history.record(case, case.result([RepetitionResult("passed")]))
        history.end(is_complete=False)
        (tmp_path / "a.scenario.yaml").write_text(
            (tmp_path / "a.scenario.yaml").read_text().replace("{word: b}", "{word: c}")
        )
        one_changed = SuiteHistory(store.suites, load_cases([tmp_path])).resume()
        (tmp_path / "hello.json").write_text(json.dumps(document(static("hello", "Good day"))))
        all_changed = SuiteHistory(store.suites, load_cases([tmp_path])).resume()

    assert list(one_changed) == [cases[0].id, cases[2].id]
    assert all_changed == {}


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (None, "second", "new"),  # stored by a version of this program that did not tell what ran
        ("first", "second", "new"),
        ("second", "second", "flaky"),
        ("second", None, "new"),
    ],
)
def test_failure_is_flaky_for_same_workflow_only(cases, before, now, found):
    def repetition(outcome, digest):
        return RepetitionResult(outcome, ran=RanWorkflow("Hello", 1, digest) if digest else None)

    with closing(Store("sqlite://")) as store:
        earlier, later = (SuiteHistory(store.suites, cases) for _ in range(2))
        earlier.begin("Ada")
        earlier.record(cases[2], cases[2].result([repetition("passed", before)]))
        earlier.end(is_complete=True)
        later.begin("Ada")
        later.record(cases[2], cases[2].result([repetition("failed", now)]))
        later.end(is_complete=False)

        [stored] = store.suites.results(earlier.suite_id)
        [again] = SuiteHistory(store.suites, cases).resume().values()

    assert later.dispositions == {cases[2].id: found}
    assert (stored.digest == cases[2].digest) == (before is None)
    assert [each.ran.digest if each.ran else None for each in again.repetitions] == [now]


def test_running_suite_is_not_resumed(cases):
    with closing(Store("sqlite://")) as store:
        history = SuiteHistory(store.suites, cases)
        history.begin("Ada")
        history.record(cases[0], cases[0].result([RepetitionResult("passed")]))

        assert SuiteHistory(store.suites, cases).resume() == {}

        with store._database.writing() as connection:
            connection.execute(update(suite_runs).values(owner="elsewhere"))
        assert list(SuiteHistory(store.suites, cases).resume()) == [cases[0].id]


def stored(name: str, outcome: str) -> StoredResult:
    return StoredResult(name, "digest", outcome, None, [])


def test_changes_are_named_worst_first():
    before = [stored(name, outcome) for name, outcome in (("a", "passed"), ("b", "failed"), ("c", "passed"))]
    before += [stored("d", "error"), stored("gone", "passed")]
    now = [stored(name, outcome) for name, outcome in (("a", "passed"), ("b", "passed"), ("c", "error"))]
    now += [stored("d", "failed"), stored("e", "passed")]

    found = [(row.now.scenario_id, row.change) for row in compare_results(now, before)]

    assert found == [("c", "regressed"), ("d", "failing"), ("e", "new"), ("b", "fixed"), ("a", "passing")]


def test_without_baseline_all_are_new():
    rows = compare_results([stored("b", "failed"), stored("a", "passed")], [])

    assert [(row.now.scenario_id, row.change, row.has_passed) for row in rows] == [
        ("a", "new", True),
        ("b", "new", False),
    ]
