from __future__ import annotations

import pytest

from debugger.analysis.run_facts import RunSummary
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import Run
from debugger.protocol.scenario_runs import ScenarioMark
from debugger.views.panels.runs.rows import RowFacts, duration_words, run_table, verdict_words
from debugger.views.panels.runs.scope import RunsState
from tests.views.bars import control
from tests.views.records import keep_records
from tests.views.row_lists import column, drawn, rows, use


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, ""),
        (0, "0 ms"),
        (60, "60 ms"),
        (999.6, "1.0 s"),
        (1_240, "1.2 s"),
        (59_400, "59 s"),
        (65_000, "1 m 5 s"),
        (3_720_000, "1 h 2 m"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_duration_has_two_units(milliseconds, words):
    assert duration_words(milliseconds) == words


def test_verdicts_on_the_run_come_before_those_on_its_parts():
    own = Verdict(run_id="1", target=Target(), value="fail", reviewer="ada")
    part = Verdict(run_id="1", target=Target.turn(1), value="pass", reviewer="ada")

    assert verdict_words([]) == []
    assert verdict_words([part, own, own]) == ["Fail"]
    assert verdict_words([part, part]) == ["on 2 parts"]


def test_rows_tell_runs_apart(app, walks):
    walks(3)
    app.run()

    found = rows(app, "Runs")
    assert all(row["first"] and row["last"].startswith("You are at") for row in found)
    assert {row["workflow"] for row in found} == {"Vet desk v0", "Vet desk v1"}
    assert {row["by"] for row in found} == {"ada", "bob"}
    assert all(row["duration"].endswith("s") for row in found)
    assert {row["place"] for row in found} == {"Embedded engine"}


def test_head_sorts_by_number_and_back(app, walks):
    ids = walks(12)
    app.run()
    seen = []

    for _ in range(3):
        use(app, None, "turns", label="Runs")
        seen.append([int(turns) for turns in column(app, "turns", "Runs")])

    assert len(set(seen[0])) > 1
    assert seen[0] == sorted(seen[0])
    assert seen[1] == sorted(seen[0], reverse=True)
    assert column(app, "id", "Runs") == ids


def test_runs_without_a_value_come_last(app, walks, tick):
    walks(3)
    app.run()
    tick(1)
    control(app, "star_chosen").use()

    for _ in range(2):
        use(app, None, "star", label="Runs")
        assert column(app, "star", "Runs") == ["★", "", ""]


def test_runs_of_scenarios_are_marked(app, backend, walks):
    ids = walks(3)
    app.run()
    before = [each["name"] for each in drawn(app, "Runs")["columns"]]
    backend.store.scenario_runs.save(ids[1], ScenarioMark("Booking", "a.yaml", "failed"))

    app.run()

    assert "scenario" not in before
    assert column(app, "scenario", "Runs") == [None, "Test failed", None]


def test_unread_runs_are_sorted_last(monkeypatch):
    held = RunsState(sort=("turns", False))
    keep_records(monkeypatch, held)
    runs = [
        Run(workflow_run_id=each, workflow_id="w", status="completed") for each in ("unread", "two", "one")
    ]
    facts = RowFacts({}, summaries={"two": RunSummary(turns=2), "one": RunSummary(turns=1)})
    drawn = []
    monkeypatch.setattr(
        "debugger.views.panels.runs.rows.rows_list", lambda _, shown, **__: drawn.append(shown)
    )

    for column_name in ("turns", "problems"):
        held.sort = (column_name, False)
        run_table(runs, facts)

    assert [[row.target for row in shown.rows][-1] for shown in drawn] == ["unread", "unread"]


def test_names_with_numbers_and_any_case_are_sorted_as_people_do(monkeypatch):
    held = RunsState(sort=("workflow", False))
    keep_records(monkeypatch, held)
    runs = [
        Run(
            workflow_run_id=f"{name} {number}",
            workflow_id="w",
            workflow_name=name,
            version_number=number,
            status="completed",
        )
        for name, number in (("vet", 10), ("Zoo", 1), ("vet", 9), ("Tea", 2))
    ]
    drawn = []
    monkeypatch.setattr(
        "debugger.views.panels.runs.rows.rows_list", lambda _, shown, **__: drawn.append(shown)
    )

    run_table(runs, RowFacts({}))

    assert [row.target for row in drawn[0].rows] == ["Tea 2", "vet 9", "vet 10", "Zoo 1"]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z"),  # 02:50 and 02:10, when the clocks are set back
        ("2026-12-03T10:00:00.100000Z", "2026-12-03T10:00:00.900000Z"),  # both 11:00:00
    ],
)
def test_runs_are_sorted_by_moment_of_start(monkeypatch, earlier, later):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DISPLAY_TIME_ZONE", "Europe/Berlin")
    keep_records(monkeypatch, RunsState(sort=("began", False)))
    runs = [  # the newest first, as a backend lists them
        Run(workflow_run_id=name, workflow_id="w", status="completed", created_at=moment)
        for name, moment in (("later", later), ("earlier", earlier))
    ]
    drawn = []
    monkeypatch.setattr(
        "debugger.views.panels.runs.rows.rows_list", lambda _, shown, **__: drawn.append(shown)
    )

    run_table(runs, RowFacts({}))

    assert [row.target for row in drawn[0].rows] == ["earlier", "later"]
