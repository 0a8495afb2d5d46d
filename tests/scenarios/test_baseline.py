from debugger.scenarios.baseline import compare_results
from debugger.store import StoredResult


def result(name: str, outcome: str) -> StoredResult:
    return StoredResult(name, "digest", outcome, None, [])


def test_changes_are_named_worst_first():
    before = [result(name, outcome) for name, outcome in (("a", "passed"), ("b", "failed"), ("c", "passed"))]
    before += [result("d", "error"), result("gone", "passed")]
    now = [result(name, outcome) for name, outcome in (("a", "passed"), ("b", "passed"), ("c", "error"))]
    now += [result("d", "failed"), result("e", "passed")]

    found = [(row.now.scenario_id, row.change) for row in compare_results(now, before)]

    assert found == [("c", "regressed"), ("d", "failing"), ("e", "new"), ("b", "fixed"), ("a", "passing")]


def test_without_baseline_all_are_new():
    rows = compare_results([result("b", "failed"), result("a", "passed")], [])

    assert [(row.now.scenario_id, row.change, row.has_passed) for row in rows] == [
        ("a", "new", True),
        ("b", "new", False),
    ]
