from __future__ import annotations

from debugger.analysis.run_tree import breadcrumbs, run_tree
from debugger.protocol.runs import ForkRecord


def fork(name, source, turn, **fields):
    return ForkRecord(run_id=name, source_run_id=source, turn_number=turn, **fields)


FAMILY = [
    fork("late", "root", 5, created_at=1.0),
    fork("second", "root", 2, created_at=3.0),
    fork("first", "root", 2, created_at=2.0),
    fork("below", "first", 1, created_at=4.0),
]


def test_run_tree_orders_forks():
    rows = run_tree("below", FAMILY, {"root": "completed"})

    assert [(row.run_id, row.depth, row.label) for row in rows] == [
        ("root", 0, "root"),
        ("first", 1, "fork at turn 2"),
        ("below", 2, "fork at turn 1"),
        ("second", 1, "fork at turn 2"),
        ("late", 1, "fork at turn 5"),
    ]
    assert [row.status for row in rows[:2]] == ["completed", None]


def test_breadcrumbs_from_root_to_fork():
    rows = run_tree("below", FAMILY)

    assert [row.run_id for row in breadcrumbs(rows, "below")] == ["root", "first", "below"]
    assert breadcrumbs(rows, "stranger") == []


def test_run_tree_without_forks():
    assert [row.run_id for row in run_tree("alone", [])] == ["alone"]


def test_a_ring_is_no_endless_loop():
    rows = run_tree("a", [fork("a", "b", 1), fork("b", "a", 1)])

    assert len(rows) <= 2
    assert len(breadcrumbs(rows, "a")) <= 2


def test_run_tree_of_a_thousand_levels():
    family = [fork(str(n + 1), str(n), 1) for n in range(3_000)]

    assert run_tree("5", family)[-1].depth == 3_000


def test_tree_row_names_changes_once():
    changes = (
        {"path": "runtime.level", "op": "added", "before": None, "after": "gold"},
        {"path": "message", "op": "changed", "before": "a", "after": "b"},
        {"scope": "runtime", "name": "told", "after": 1},
    )

    (_, row) = run_tree("a", [fork("a", "root", 1, changes=changes)])

    assert row.changed == ("+ runtime.level", "~ message", "~ runtime.told")
