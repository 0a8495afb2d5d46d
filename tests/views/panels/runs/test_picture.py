from __future__ import annotations

import json

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id

from debugger.protocol.runs import Run
from debugger.views.panels.runs.picture import (
    Tally,
    by_day_and_status,
    by_version_and_verdict,
    history_days,
)
from tests.views.bars import control
from tests.views.row_lists import column, rows


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


def test_workflows_of_one_name_have_own_bars():
    runs = [a_run("1", workflow="6b0bba62a"), a_run("2", workflow="6b0bba62b"), a_run("3", workflow="x")]
    names = dict.fromkeys(["6b0bba62a", "6b0bba62b"], "Vet desk")

    tallies = by_version_and_verdict(runs, {}, names)

    assert [tally.place for tally in tallies] == ["Vet desk (bba62a) v0", "Vet desk (bba62b) v0", "x v0"]


def charts(app):
    """Return the properties of the charts."""
    return next(
        data for element in app.get("bidi_component") if "charts" in (data := json.loads(element.proto.json))
    )


def test_picture_shows_its_numbers_as_tables(app, walks):
    walks(7)
    app.run()
    control(app, "show_statistics").use()
    before = charts(app)

    app.toggle("picture_as_table").set_value(True).run()

    shown = charts(app)
    assert (before["is_table"], shown["is_table"]) == (False, True)
    assert [sum(bar["total"] for bar in chart["bars"]) for chart in shown["charts"]] == [7, 7]


def test_chosen_part_filters_the_list(app, walks):
    walks(14)
    app.run()
    control(app, "show_statistics").use()
    bar = charts(app)["charts"][0]["bars"][0]
    part = bar["parts"][0]

    send_chosen(app, part["target"])

    assert control(app, "runs_since").value == control(app, "runs_until").value == bar["label"]
    assert len(column(app, "id", "Runs")) == part["count"]
    assert {row["status"] for row in rows(app, "Runs")} == {part["kind"]}


@pytest.mark.parametrize(
    ("days", "first", "last", "number"),
    [
        (["2026-12-02"], "2026-11-02", "2026-12-02", 31),
        (["2026-11-02", "2026-12-02"], "2026-11-02", "2026-12-02", 31),
        (["2026-11-01", "2026-12-02"], "2026-11-01", "2026-12-02", 2),
        ([f"{year}-01-01" for year in range(1990, 2026)], "1995-01-01", "2025-01-01", 31),
        ([""], "", "", 1),
    ],
)
def test_history_is_a_month_or_the_last_days_with_runs(days, first, last, number):
    shown = history_days(days)

    assert (shown[0], shown[-1], len(shown)) == (first, last, number)
    assert history_days([]) == []


def test_day_of_the_history_is_chosen_and_left(app, backend, walks, listed):
    ids = walks(14)
    app.run()
    [strip] = charts(app)["charts"]
    with_runs = [bar for bar in strip["bars"] if bar["parts"]]
    day = with_runs[2]

    send_chosen(app, day["label"])
    of_day, bars = listed(), charts(app)["charts"][0]["bars"]
    marked = [part["is_chosen"] for bar in bars for part in bar["parts"]]
    send_chosen(app, day["label"])

    assert (len(strip["bars"]), len(with_runs)) == (31, 7)
    assert len(of_day) == day["total"] == 2
    assert marked == [bar is day for bar in with_runs]
    assert listed() == ids


def send_chosen(app, target):
    """Choose a part as a browser does."""
    element = next(each for each in app.get("bidi_component") if "charts" in json.loads(each.proto.json))
    states = app._tree.get_widget_states()
    sent = states.widgets.add()
    sent.id = _make_trigger_id(element.proto.id, "events")
    sent.json_trigger_value = json.dumps([{"event": "chosen", "value": target}])
    app._run(states)


def test_runs_of_a_deleted_workflow_are_filtered(app, backend, walks):
    walks(4)
    ids = walks(6)
    workflow_id = backend.run(ids[0]).workflow_id
    backend.delete_workflow(workflow_id)
    app.run()
    control(app, "show_statistics").use()
    bars = charts(app)["charts"][1]["bars"]
    bar = next(each for each in bars if each["total"] < 6 and each["label"].startswith(workflow_id))

    send_chosen(app, bar["parts"][0]["target"])

    shown = rows(app, "Runs")
    assert len(shown) == bar["parts"][0]["count"]
    assert {backend.run(row["id"]).workflow_id for row in shown} == {workflow_id}
    assert control(app, "runs_workflow").value == workflow_id
    assert f"v{control(app, 'runs_version').value}" == bar["label"].split()[-1]
