from __future__ import annotations

from debugger.protocol.runs import Run
from debugger.views.panels.runs.picture import Tally, by_day_and_status, by_version_and_verdict


def a_run(run_id, status="completed", day="2026-07-01", version=0, workflow="w"):
    return Run(
        workflow_run_id=run_id,
        workflow_id=workflow,
        version_number=version,
        status=status,
        created_at=f"{day}T10:00:00.000Z",
    )


def test_runs_are_counted_by_day_and_status():
    runs = [a_run("1", day="2026-07-02"), a_run("2"), a_run("3"), a_run("4", "failed")]

    assert by_day_and_status(runs) == [
        Tally("2026-07-01", "completed", 2),
        Tally("2026-07-01", "failed", 1),
        Tally("2026-07-02", "completed", 1),
    ]


def test_runs_are_counted_by_version_and_verdict():
    runs = [a_run("1"), a_run("2", version=1), a_run("3", version=1)]

    tallies = by_version_and_verdict(runs, {"2": {"pass": 1, "fail": 2}}, {"w": "Vet desk"})

    assert [(tally.place, tally.kind, tally.runs) for tally in tallies] == [
        ("v0", "open", 1),
        ("v1", "pass", 1),
        ("v1", "fail", 1),
        ("v1", "open", 1),
    ]


def test_versions_of_several_workflows_are_named():
    tallies = by_version_and_verdict([a_run("1"), a_run("2", workflow="x")], {}, {"w": "Vet desk"})

    assert [tally.place for tally in tallies] == ["Vet desk v0", "x v0"]


def test_picture_shows_its_numbers_as_tables(app, walks):
    walks(7)
    app.run()

    app.toggle("picture_as_table").set_value(True).run()

    assert not app.exception
    assert sum(app.dataframe[0].value["runs"]) == 7
    assert sum(app.dataframe[1].value["runs"]) == 7
