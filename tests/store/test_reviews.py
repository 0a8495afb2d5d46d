from __future__ import annotations

import time
from contextlib import closing
from itertools import count

import pytest
from sqlalchemy import select

from debugger.errors import EditConflictError, InputError, NotFoundError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import RunVerdict, Verdict
from debugger.protocol.run_file import RunFile, read_run_file, write_run_file
from debugger.store import NewComment, ReviewChanges, Store, TagChange, VerdictChange
from debugger.store.database import Database
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.schema import verdicts
from tests.support.turns import WholeTurn, append_turn

RUN = "665f0c2b9a3e4d5f6a7b8c90"
OTHER = "665f0c2b9a3e4d5f6a7b8c91"
TEA = "665f00000000000000000001"


def a_verdict(value="pass", *, run_id=RUN, target=None, reviewer="Ada", **fields):
    return Verdict(run_id=run_id, target=target or Target(), value=value, reviewer=reviewer, **fields)


def a_run(store, run_id=RUN):
    now = time.time()
    turn = WholeTurn(
        run_id=run_id,
        turn_number=1,
        checkpoint=b"{}",
        started_at=now,
        finished_at=now,
        workflow_id=TEA,
        version_number=0,
        status="completed",
    )
    append_turn(store, turn)


def contents(verdicts):
    return [(verdict.reviewer, verdict.target, verdict.content) for verdict in verdicts]


def test_verdict_is_read_as_written(url):
    verdict = a_verdict(
        "fail", target=Target.message(3), comment="Ärger 🫖", checks={"greets": "pass", "asks": "fail"}
    )
    with closing(Store(url)) as store:
        store.reviews.set_verdict(verdict)

    with closing(Store(url)) as store:
        [found] = store.reviews.verdicts([RUN, OTHER])[RUN]

    times = {"created_at": found.created_at, "updated_at": found.updated_at}
    assert found == verdict.model_copy(update={**times, "revision": found.revision})
    assert found.created_at == found.updated_at != ""


def test_import_keeps_order_within_millisecond(url, other_url, monkeypatch):
    moments = count(1_796_300_000.0001, 0.0001)  # less than a millisecond apart
    monkeypatch.setattr("debugger.store.edited_tables.time.time", lambda: next(moments))
    with closing(Store(url)) as store:
        for target in (Target.turn(1), Target(), Target.message(3)):
            store.reviews.set_verdict(a_verdict(target=target))
        given = store.reviews.verdicts([RUN])[RUN]

    with closing(Store(other_url)) as elsewhere:
        elsewhere.reviews.add_imported(RUN, [RunVerdict.of(each) for each in given], by="Cy")
        found = elsewhere.reviews.verdicts([RUN])[RUN]

    assert contents(found) == contents(given)


def test_verdicts_of_run_file_are_added(url, other_url):
    checks = {"greets": "pass", "asks": "not_applicable"}
    with closing(Store(url)) as store:
        store.reviews.set_verdict(a_verdict("fail", comment="Ärger 🫖", checks=checks))
        store.reviews.set_verdict(a_verdict(target=Target.turn(1), reviewer="Bo"))
        store.reviews.set_verdict(a_verdict("unsure", target=Target.message(3), checks={"asks": "fail"}))
        given = store.reviews.verdicts([RUN])[RUN]
    record = {"workflow_run_id": RUN, "workflow_id": TEA, "version_number": 0, "status": "completed"}
    file = read_run_file(
        write_run_file(RunFile(run=record, verdicts=[RunVerdict.of(each) for each in given]))
    )

    with closing(Store(other_url)) as elsewhere:
        elsewhere.reviews.add_imported(RUN, file.verdicts, by="Cy")
        elsewhere.reviews.add_imported(RUN, file.verdicts, by="Di")
        found = elsewhere.reviews.verdicts([RUN])[RUN]
    with closing(Database(other_url)) as database, database.reading() as reading:
        authors = set(reading.scalars(select(verdicts.c.updated_by)))

    assert [each.model_copy(update={"revision": 0}) for each in found] == [
        each.model_copy(update={"revision": 0}) for each in given
    ]
    assert all(each.revision for each in found)
    assert authors == {"Cy"}


def test_import_replaces_no_verdict(store):
    store.reviews.set_verdict(a_verdict("pass", comment="Fine.", checks={"greets": "pass"}))
    before = store.reviews.verdicts([RUN])
    imported = RunVerdict(target=Target(), value="fail", reviewer="Ada", comment="Forged.")

    store.reviews.add_imported(RUN, [imported], by="Cy")

    assert store.reviews.verdicts([RUN]) == before


def test_comment_is_stored_once_where_two_import_it(store):
    a_run(store)
    new = NewComment(RUN, Target.turn(1), "Ada", " Too late. ")
    other = NewComment(RUN, Target.turn(1), "Ben", "Too late.")

    store.reviews.apply(ReviewChanges(comments=[new]))
    store.reviews.apply(ReviewChanges(comments=[new, other]))

    said = [(comment.author, comment.content) for comment in store.notes.comments([RUN])[RUN]]
    assert said == [("Ada", "Too late."), ("Ben", "Too late.")]


def test_reviewer_has_one_verdict_per_target(store, monkeypatch):
    moments = count(1_796_300_000)
    monkeypatch.setattr("debugger.store.edited_tables.time.time", lambda: next(moments))
    reviews = store.reviews
    reviews.set_verdict(a_verdict("pass"))
    reviews.set_verdict(a_verdict("fail", target=Target.turn(1)))
    reviews.set_verdict(a_verdict("unsure", reviewer="Ben"))
    [before] = [each for each in reviews.verdicts([RUN])[RUN] if each.content[0] == "pass"]
    reviews.set_verdict(a_verdict("unsure", comment=" second look "))

    found = reviews.verdicts([RUN])[RUN]

    assert contents(found) == [
        ("Ada", Target(), ("unsure", "second look", {})),
        ("Ada", Target.turn(1), ("fail", "", {})),
        ("Ben", Target(), ("unsure", "", {})),
    ]
    assert found[0].created_at == before.created_at < found[0].updated_at


def test_connections_have_separate_verdicts(store):
    store.reviews.set_verdict(a_verdict("pass"))
    store.reviews.set_verdict(a_verdict("fail", connection="staging"))

    assert [each.value for each in store.reviews.verdicts([RUN])[RUN]] == ["pass"]
    assert [each.value for each in store.reviews.verdicts([RUN], connection="staging")[RUN]] == ["fail"]
    assert store.reviews.verdicts([RUN], connection="production") == {}


def test_counts_are_of_whole_runs(store):
    store.reviews.set_verdict(a_verdict("pass"))
    store.reviews.set_verdict(a_verdict("pass", reviewer="Ben"))
    store.reviews.set_verdict(a_verdict("fail", reviewer="Cy"))
    store.reviews.set_verdict(a_verdict("fail", target=Target.turn(1)))
    store.reviews.set_verdict(a_verdict("fail", run_id=OTHER, target=Target.message(1)))

    assert store.reviews.counts([RUN, OTHER]) == {RUN: {"pass": 2, "fail": 1}}


def test_open_runs_are_found_by_reviewer(store):
    third = "665f0c2b9a3e4d5f6a7b8c92"
    store.reviews.set_verdict(a_verdict("pass"))
    store.reviews.set_verdict(a_verdict("pass", run_id=OTHER, reviewer="Ben"))
    store.reviews.set_verdict(a_verdict("fail", run_id=third, target=Target.turn(1)))

    assert store.reviews.runs_without_verdict([third, OTHER, RUN]) == [third]
    assert store.reviews.runs_without_verdict([third, OTHER, RUN], reviewer="Ada") == [third, OTHER]
    assert store.reviews.runs_without_verdict([RUN], connection="staging") == [RUN]


def test_checks_with_results_are_found_by_run(store):
    store.reviews.set_verdict(a_verdict(checks={"greets": "pass", "asks": "fail"}))
    store.reviews.set_verdict(a_verdict(target=Target.turn(1), checks={"ends": "not_applicable"}))
    store.reviews.set_verdict(a_verdict(run_id=OTHER))
    store.reviews.set_verdict(a_verdict(run_id=OTHER, connection="staging", checks={"greets": "pass"}))

    assert store.reviews.checks_by_run() == {RUN: {"greets", "asks", "ends"}}
    assert store.reviews.checks_by_run(connection="staging") == {OTHER: {"greets"}}


def test_many_runs_are_read_in_portions(store):
    ids = [f"{number:024x}" for number in range(1_203)]
    for run_id in ids[::400]:
        store.reviews.set_verdict(a_verdict(run_id=run_id))

    assert list(store.reviews.verdicts(ids)) == ids[::400]
    assert len(store.reviews.runs_without_verdict(ids)) == 1_203 - 4


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reviewer": "  "}, "1 to 200"),
        ({"reviewer": "x" * 201}, "1 to 200"),
        ({"comment": "x" * 5_001}, "5001 characters"),
        ({"target": Target.event("event_2f")}, "not on an event"),
        ({"target": Target(kind="turn", key="last")}, "no turn 'last'"),
        ({"target": Target(kind="turn")}, "no turn ''"),
        ({"target": Target(kind="message", key="0")}, "no message '0'"),
        ({"target": Target(kind="run", key="1")}, "no run '1'"),
    ],
)
def test_malformed_verdict_is_rejected(store, fields, words):
    with pytest.raises(InputError, match=words):
        store.reviews.set_verdict(a_verdict(**fields))

    assert store.reviews.verdicts([RUN]) == {}


def test_verdict_is_deleted_once(store):
    store.reviews.set_verdict(a_verdict())
    store.reviews.set_verdict(a_verdict(reviewer="Ben"))

    (seen,) = (each.revision for each in store.reviews.verdicts([RUN])[RUN] if each.reviewer == "Ada")
    store.reviews.delete_verdict(RUN, Target(), "Ada", expected=seen)

    assert [each.reviewer for each in store.reviews.verdicts([RUN])[RUN]] == ["Ben"]
    with pytest.raises(NotFoundError):
        store.reviews.delete_verdict(RUN, Target(), "Ada", expected=seen)


def test_deleting_run_deletes_verdicts(store):
    a_run(store)
    store.reviews.set_verdict(a_verdict())
    store.reviews.set_verdict(a_verdict(run_id=OTHER))

    store.delete_run(RUN)

    assert list(store.reviews.verdicts([RUN, OTHER])) == [OTHER]


def test_changes_are_applied_together(store):
    a_run(store)
    store.reviews.set_verdict(a_verdict("pass"))
    [before] = store.reviews.verdicts([RUN])[RUN]
    store.notes.change_tags([RUN], ["smoke", "theirs"])
    changes = ReviewChanges(
        verdicts=[
            VerdictChange(a_verdict("fail", comment="late"), before=before),
            VerdictChange(a_verdict("unsure", run_id=OTHER, connection="staging")),
        ],
        tags=[TagChange(RUN, ["late"], ["smoke"])],
        comments=[NewComment(RUN, Target.message(2), "Ben", "Nice")],
    )

    store.reviews.apply(changes)

    assert contents(store.reviews.verdicts([RUN])[RUN]) == [("Ada", Target(), ("fail", "late", {}))]
    assert [each.value for each in store.reviews.verdicts([OTHER], connection="staging")[OTHER]] == ["unsure"]
    assert store.notes.of(RUN).tags == ["late", "theirs"]
    [comment] = store.notes.comments([RUN, OTHER])[RUN]
    assert (comment.target, comment.author, comment.content) == (Target.message(2), "Ben", "Nice")


@pytest.mark.parametrize(
    "changes",
    [
        ReviewChanges(verdicts=[VerdictChange(a_verdict(run_id=OTHER)), VerdictChange(a_verdict("fail"))]),
        ReviewChanges(
            verdicts=[
                VerdictChange(a_verdict(run_id=OTHER)),
                VerdictChange(a_verdict("fail"), before=a_verdict("pass", revision=1)),
            ],
            tags=[TagChange(RUN, ["late"])],
            comments=[NewComment(RUN, Target(), "Ben", "Nice")],
        ),
    ],
)
def test_changes_of_others_prevent_all(store, changes):
    a_run(store)
    a_run(store, OTHER)
    store.reviews.set_verdict(a_verdict("pass"))
    store.notes.change_tags([RUN], ["smoke"])

    with pytest.raises(EditConflictError, match=r"changed meanwhile; nothing was stored"):
        store.reviews.apply(changes)

    assert contents(store.reviews.verdicts([RUN, OTHER])[RUN]) == [("Ada", Target(), ("pass", "", {}))]
    assert OTHER not in store.reviews.verdicts([OTHER])
    notes = store.notes.of(RUN)
    assert (notes.tags, notes.comments) == (["smoke"], [])


def test_changes_on_deleted_run_are_rejected(store):
    a_run(store)
    a_run(store, OTHER)
    store.hidden.hide([OTHER], "Ada")

    with pytest.raises(NotFoundError, match=OTHER):
        store.reviews.apply(
            ReviewChanges([VerdictChange(a_verdict()), VerdictChange(a_verdict(run_id=OTHER))])
        )

    assert store.reviews.turn_counts([RUN, OTHER, TEA]) == {RUN: 1}
    assert store.reviews.verdicts([RUN, OTHER]) == {}


def test_rubric_is_replaced_by_workflow(store):
    store.reviews.set_rubric(TEA, ["  greets \n the caller", "asks «name» 🫖"], expected=NEVER_WRITTEN)
    first = store.reviews.set_rubric(OTHER, ["other"], expected=NEVER_WRITTEN)
    store.reviews.set_rubric(OTHER, [], expected=first)

    assert store.reviews.rubric(TEA) == ["greets the caller", "asks «name» 🫖"]
    assert store.reviews.rubric(OTHER) == []


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ([" "], "1 to 80"),
        (["x" * 81], "1 to 80"),
        (["polite", "polite "], "twice"),
        ([str(number) for number in range(21)], "21 checks"),
    ],
)
def test_malformed_rubric_is_rejected(store, checks, words):
    store.reviews.set_rubric(TEA, ["greets"], expected=NEVER_WRITTEN)

    with pytest.raises(InputError, match=words):
        store.reviews.set_rubric(TEA, checks, expected=NEVER_WRITTEN)

    assert store.reviews.rubric(TEA) == ["greets"]
