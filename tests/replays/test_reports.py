from __future__ import annotations

import io
import json
from contextlib import closing

import pytest
from junitparser import JUnitXml

from debugger.replays.groups import ReplayGroup
from debugger.replays.reports import (
    CSV_COLUMNS,
    ReplayReport,
    csv_rows,
    summary,
    text_lines,
    write_json,
    write_junit,
)
from debugger.replays.results import Divergence, ReplayResult
from debugger.store import ReplayTarget, Store, StoredReplayResult
from tests.store.test_retention import TEA, keep

REPLAY = "1" * 24
PATH = Divergence(2, "n1", "Intent desk", "book → Booking", "billing → Billing")


@pytest.fixture
def store():
    with closing(Store("sqlite://")) as opened:
        yield opened


def result(run_id, verdict, divergence=PATH, reason=""):
    return ReplayResult(run_id, 3, verdict, 2, None if verdict == "same" else divergence, reason)


def reported(store, *found, accept=(), change="node Intent desk changed (prompt)", **options):
    """The report of a replay with these results."""
    target = ReplayTarget(TEA, 7, "d" * 64)
    store.replays.begin(REPLAY, target, started_by="Ada", program_version="", selected=len(found))
    for each in found:
        store.replays.add(REPLAY, StoredReplayResult(each.run_id, each.verdict, each.key, each.to_json()))
    for each in accept:
        store.replays.accept(TEA, each.key, accepted_by="Ada", comment="Asked by ada@example.org.")
    store.replays.end(REPLAY, is_complete=True)
    groups = [
        ReplayGroup(
            each.key, each.verdict, each.runs, ReplayResult.from_json(each.example), change, each.acceptance
        )
        for each in store.replays.groups(REPLAY)
    ]
    return ReplayReport(store.replays, store.replays.find(REPLAY), groups, "Front desk", **options)


def three(store):
    return [result(keep(store, 1), verdict) for verdict in ("same", "path", "path")]


def written(write, report):
    out = io.BytesIO()
    write(out, report)
    return out.getvalue()


def test_lines_have_groups_and_summary(store):
    found = three(store)
    report = reported(store, *found)

    assert list(text_lines(report)) == [
        "2 × Other path: turn 2, Intent desk: billing → Billing instead of book → Booking",
        "  change: node Intent desk changed (prompt)",
        f"  example: {max(found[1:], key=lambda each: each.run_id).run_id}, recorded on version 3",
        f"  group: {found[1].key}",
        "3 runs on version 7: 1 same, 2 other path.",
    ]


def test_lines_show_first_groups_alone(store, monkeypatch):
    monkeypatch.setattr("debugger.replays.reports._GROUPS_SHOWN", 1)
    failed = [result(keep(store, 1), "failed", None, reason) for reason in ("One.", "Two.", "Three.")]

    lines = list(text_lines(reported(store, *failed)))

    assert lines[-2:] == ["… and 2 more groups.", "3 runs on version 7: 3 failed."]
    assert len([line for line in lines if line.startswith("1 ×")]) == 1


def test_accepted_group_fails_no_more(store):
    found = three(store)

    assert reported(store, *found, fail_on=frozenset({"path"})).failures == 2
    accepted = reported(store, *found, fail_on=frozenset({"path"}), accept=found[1:2])

    assert accepted.failures == 0
    assert summary(accepted) == "3 runs on version 7: 1 same, 2 other path (2 accepted)."
    assert "accepted by Ada: Asked by [e-mail]." in "\n".join(text_lines(accepted))


def test_verdict_that_is_not_named_fails_not(store):
    assert reported(store, *three(store), fail_on=frozenset({"failed"})).failures == 0


def test_junit_has_suite_of_each_verdict(store):
    found = [*three(store), result(keep(store, 1), "needs_model"), result(keep(store, 1), "words")]
    report = reported(store, *found, fail_on=frozenset({"path", "words"}), accept=found[-1:])

    xml = JUnitXml.fromstring(written(write_junit, report))

    assert (xml.tests, xml.failures, xml.skipped) == (5, 2, 1)
    assert [(suite.name, suite.tests, suite.failures, suite.skipped) for suite in xml] == [
        ("Same", 1, 0, 0),
        ("Other words", 1, 0, 0),
        ("Other path", 2, 2, 0),
        ("Needs a model", 1, 0, 1),
    ]
    cases = {case.name: case for suite in xml for case in suite}
    assert set(cases) == {each.run_id for each in found}
    [failure] = cases[found[1].run_id].result
    assert (failure.type, failure.message) == ("path", PATH.text)
    assert "change: node Intent desk changed (prompt)" in failure.text
    assert found[1].key in failure.text
    assert "accepted by Ada" in cases[found[-1].run_id].system_out
    assert cases[found[0].run_id].system_out is None


def test_not_compared_runs_fail_where_named(store):
    found = [result(keep(store, 1), "needs_model")]

    xml = JUnitXml.fromstring(
        written(write_junit, reported(store, *found, fail_on=frozenset({"needs_model"})))
    )

    assert (xml.failures, xml.skipped) == (1, 0)


def test_junit_takes_any_character(store):
    odd = Divergence(1, "n", 'a "b" <c>', "\x00\x1b[31m", "\ud83c & ]]>")

    xml = written(write_junit, reported(store, result(keep(store, 1), "path", odd), change=""))

    [case] = next(iter(JUnitXml.fromstring(xml)))
    assert case.system_out.startswith('turn 1, a "b" <c>: � & ]]> instead of ��[31m')


def test_json_has_groups_and_results(store):
    found = three(store)
    report = reported(store, *found, fail_on=frozenset({"path", "words"}))

    value = json.loads(written(write_json, report))

    assert (value["format"], value["version"], value["workflow"]) == (
        "workflow-debugger-replay",
        1,
        "Front desk",
    )
    assert (value["workflow_version"], value["file"], value["is_complete"]) == (7, None, True)
    assert (value["counts"]["path"], value["not_accepted"]["path"], value["failures"]) == (2, 2, 2)
    assert value["fail_on"] == ["words", "path"]
    [group] = value["groups"]
    assert (group["runs"], group["verdict"], group["accepted"]) == (2, "path", None)
    by_id = {each["run_id"]: each for each in value["results"]}
    assert by_id[found[1].run_id]["divergence"]["after"] == "billing → Billing"
    assert by_id[found[1].run_id]["group"] == group["key"]
    assert by_id[found[0].run_id]["group"] is None


def test_json_of_nothing_is_json(store):
    assert json.loads(written(write_json, reported(store)))["results"] == []


def test_table_has_row_of_each_run(store):
    found = three(store)
    rows = [dict(zip(CSV_COLUMNS, row, strict=True)) for row in csv_rows(reported(store, *found))]

    assert {row["run_id"] for row in rows} == {each.run_id for each in found}
    [row] = [row for row in rows if row["run_id"] == found[1].run_id]
    assert (row["turn"], row["node_name"], row["change"]) == (
        2,
        "Intent desk",
        "node Intent desk changed (prompt)",
    )
    assert [row["turn"] for row in rows if row["verdict"] == "same"] == [None]


def test_value_of_masked_variable_is_masked_as_a_whole(store):
    found = Divergence(1, "n", "Desk", "Oak Lane 5", "Elm Lane 6", "email")
    run_id = keep(store, 1)

    [row] = csv_rows(reported(store, result(run_id, "variables", found)))

    shown = dict(zip(CSV_COLUMNS, row, strict=True))
    assert (shown["subject"], shown["before"], shown["after"]) == ("email", "[e-mail]", "[e-mail]")


def test_values_of_the_run_are_masked_in_texts(store):
    def register(boundary, each):
        boundary.begin_run()
        boundary.register("email", "Oak Lane")

    found = Divergence(1, "n", "Desk", "To Oak Lane?", "To Oak Lane!")
    report = reported(
        store, result(keep(store, 1), "words", found), result(keep(store, 1), "same"), register=register
    )

    assert b"Oak" not in written(write_json, report) + written(write_junit, report)
    assert "Oak" not in str(list(csv_rows(report))) + str(list(text_lines(report)))


def test_report_of_unread_runs_keeps_their_results(store):
    report = reported(store, result(keep(store, 1), "failed", None, "Call +1 555 010 9988."))

    [row] = csv_rows(report)

    shown = dict(zip(CSV_COLUMNS, row, strict=True))
    assert (shown["verdict"], shown["reason"]) == ("failed", "Call [phone].")
