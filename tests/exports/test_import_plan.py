from __future__ import annotations

from contextlib import closing

import pytest

from debugger.errors import EditConflictError
from debugger.exports.csv_files import csv_bytes
from debugger.exports.import_plan import StoredReviews, plan_import
from debugger.exports.review_sheet import Problem, read_sheet
from debugger.protocol.notes import Comment, Target
from debugger.protocol.reviews import Verdict
from debugger.store import Store
from tests.support.turns import WholeTurn, append_turn

RUN = "665f0c2b9a3e4d5f6a7b8c90"
OTHER = "665f0c2b9a3e4d5f6a7b8c91"
GIVEN_AT = "2026-11-01T10:00:00.000Z"
COLUMNS = ("run_id", "turn", "sequence", "verdict", "reviewer", "comment", "verdict_at")
RUN_COLUMNS = ("run_id", "turn", "run_verdict", "run_reviewer", "run_comment", "tags")


def stored(*verdicts, tags=(), turns=5):
    by_run = {}
    for verdict in verdicts:
        by_run.setdefault(verdict.run_id, []).append(verdict)
    return StoredReviews(by_run, {RUN: list(tags)}, {RUN: turns}, message_counts={RUN: 9})


def a_verdict(value, *, target=None, reviewer="Ada", **fields):
    return Verdict(
        run_id=RUN, target=target or Target(), value=value, reviewer=reviewer, updated_at=GIVEN_AT, **fields
    )


def planned(columns, *rows, known=None, user="Ada", may_import_others=True):
    sheet = read_sheet(csv_bytes(columns, rows), "reviewed.csv")
    return plan_import(sheet, known or stored(), user=user, may_import_others=may_import_others)


def states(plan):
    return [(item.row, item.state) for item in plan.verdicts]


def test_states_tell_what_a_row_changes():
    known = stored(
        *(a_verdict("pass", target=Target.message(number), checks={"polite": "pass"}) for number in (2, 3, 4))
    )

    plan = planned(
        COLUMNS,
        (RUN, 1, 1, "fail", "", "Why", ""),
        (RUN, 1, 2, "pass", "Ada", "", ""),
        (RUN, 1, 3, "fail", "Ada", "Late", GIVEN_AT),
        (RUN, 1, 4, "pass", "Ada", "Late", "2026-10-01T10:00:00.000Z"),
        (RUN, 1, 4, "pass", "Ben", "", ""),
        known=known,
    )

    assert states(plan) == [(2, "new"), (3, "unchanged"), (4, "changed"), (5, "conflict"), (6, "new")]
    assert plan.verdicts[0].verdict.reviewer == "Ada"
    assert plan.verdicts[2].verdict.checks == {"polite": "pass"}
    assert [change.verdict.target.key for change in plan.changes().verdicts] == ["1", "3", "4"]
    assert [change.verdict.target.key for change in plan.changes([0]).verdicts] == ["1", "3", "4", "4"]


def test_unknown_runs_turns_and_messages_are_left_out():
    plan = planned(
        COLUMNS,
        (OTHER, 1, "", "fail", "", "", ""),
        (RUN, 6, "", "fail", "", "", ""),
        (RUN, 5, "", "pass", "", "", ""),
        (RUN, 5, 9, "pass", "", "", ""),
        (RUN, 5, 10, "pass", "", "", ""),
        (RUN, 5, 11, "", "", "Who?", ""),
    )

    assert plan.unknown_runs == [OTHER]
    assert plan.problems == [
        Problem(3, "The run has no turn 6."),
        Problem(6, "The run has no message 10."),
        Problem(7, "The run has no message 11."),
    ]
    assert states(plan) == [(4, "new"), (5, "new")]


def test_verdicts_of_others_need_an_administrator():
    known = stored(a_verdict("pass", reviewer="Ben", target=Target.turn(2)))
    rows = [
        (RUN, 1, "", "fail", "Ben", "", ""),
        (RUN, 2, "", "pass", "Ben", "", ""),
        (RUN, 3, "", "pass", "Ada", "", ""),
    ]

    own = planned(COLUMNS, *rows, known=known, may_import_others=False)

    assert own.problems == [Problem(2, "Only an administrator imports what others have written, as Ben.")]
    assert states(own) == [(3, "unchanged"), (4, "new")]
    assert states(planned(COLUMNS, *rows, known=known)) == [(2, "new"), (3, "unchanged"), (4, "new")]


def test_comment_is_new_until_it_is_stored():
    known = StoredReviews(
        {RUN: [a_verdict("pass", comment="Fine", target=Target.turn(2))]},
        {},
        {RUN: 5},
        comments={
            RUN: [
                Comment(
                    logical_id="c", target=Target.turn(1), author="Ada", content="Late", created_at=GIVEN_AT
                )
            ]
        },
    )
    rows = [
        (RUN, 1, "", "", "Ada", "Late", ""),
        (RUN, 1, "", "", "Ben", "Late", ""),
        (RUN, 1, "", "", "", "Later", ""),
        (RUN, 1, "", "", "Ada", "Later", ""),
        (RUN, 2, "", "", "Ada", "Fine", ""),
        (RUN, 9, "", "", "Ada", "Nowhere", ""),
    ]

    plan = planned(COLUMNS, *rows, known=known)
    own = planned(COLUMNS, *rows, known=known, may_import_others=False)

    assert [(item.row, item.state) for item in plan.comments] == [
        (2, "unchanged"),
        (3, "new"),
        (4, "new"),
        (6, "unchanged"),
    ]
    assert [(new.author, new.content) for new in plan.changes().comments] == [
        ("Ben", "Late"),
        ("Ada", "Later"),
    ]
    assert [item.row for item in own.comments] == [2, 4, 6]
    assert [problem.row for problem in plan.problems] == [7]
    assert [problem.row for problem in own.problems] == [3, 7]


def test_two_rows_on_one_thing_must_agree():
    plan = planned(
        COLUMNS,
        (RUN, 1, 1, "fail", "", "", ""),
        (RUN, 1, 1, "fail", "", "", ""),
        (RUN, 1, 1, "pass", "", "", ""),
    )

    assert states(plan) == [(2, "new")]
    assert plan.problems == [Problem(4, "Another verdict than in row 2.")]


def test_one_edited_row_decides_on_a_run():
    known = stored(a_verdict("pass", comment="Fine"), tags=["smoke"])

    plan = planned(
        RUN_COLUMNS,
        (RUN, 1, "pass", "Ada", "Fine", "smoke"),
        (RUN, 2, "fail", "Ada", "Late", "smoke, late"),
        (RUN, 3, "pass", "Ada", "Fine", "smoke"),
        known=known,
    )

    assert [(item.row, item.state, item.verdict.value) for item in plan.verdicts] == [(3, "conflict", "fail")]
    assert [(item.state, item.tags) for item in plan.tags] == [("changed", ["smoke", "late"])]
    assert plan.problems == []


def test_two_edited_rows_on_a_run_must_agree():
    plan = planned(
        RUN_COLUMNS,
        (RUN, 1, "pass", "", "", "late"),
        (RUN, 2, "fail", "", "", "early"),
    )

    assert (plan.verdicts, plan.tags) == ([], [])
    assert [problem.sentence for problem in plan.problems] == [
        "Another run verdict than in row 2 of the same run.",
        "Other tags than in row 2 of the same run.",
    ]


@pytest.mark.parametrize(
    ("before", "cell", "state"),
    [
        ([], "", "unchanged"),
        ([], "late", "new"),
        ([], "[phone]", "new"),
        (["030 1234567, b"], "[phone], b", "unchanged"),
        (["030 1234567, b"], "[phone], c", "conflict"),
        (["a, 1, b, 2"], "a, [id], b, [id]", "unchanged"),
        (["a, 1, c, 2"], "a, [id], b, [id]", "conflict"),
        (["late", "smoke"], "smoke,late", "unchanged"),
        (["a, b"], "a, b", "unchanged"),
        (["smoke"], "late, smoke", "changed"),
        (["smoke"], "late", "conflict"),
        (["smoke"], "", "conflict"),
    ],
)
def test_tags_are_never_lost_silently(before, cell, state):
    plan = planned(("run_id", "tags"), (RUN, cell), known=stored(tags=before))

    assert [item.state for item in plan.tags] == [state]


def test_plan_is_applied_and_then_changes_nothing():
    rows = [(RUN, 1, 1, "fail", "", "=late\n-r\u00fcde 🫖", ""), (RUN, 1, "", "pass", "Ben", "'quoted", "")]
    sheet = read_sheet(csv_bytes(COLUMNS, rows), "reviewed.csv")
    with closing(Store("sqlite://")) as store:
        run = {"run_id": RUN, "turn_number": 1, "workflow_id": OTHER, "version_number": 0}
        append_turn(
            store, WholeTurn(checkpoint=b"{}", started_at=1.0, finished_at=2.0, status="completed", **run)
        )

        def plan():
            known = StoredReviews(store.reviews.verdicts([RUN]), {}, {RUN: 5})
            return plan_import(sheet, known, user="Ada", may_import_others=True)

        first = plan()
        store.reviews.apply(first.changes())
        second = plan()
        with pytest.raises(EditConflictError):
            store.reviews.apply(first.changes())
        found = store.reviews.verdicts([RUN])[RUN]

    assert (first.count("new"), second.count("new"), second.count("unchanged")) == (2, 0, 2)
    assert sorted((each.reviewer, each.comment) for each in found) == [
        ("Ada", "=late\n-r\u00fcde 🫖"),
        ("Ben", "'quoted"),
    ]
