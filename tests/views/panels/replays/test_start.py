from __future__ import annotations

import pytest

from debugger.protocol.runs import Run, TurnInput
from debugger.protocol.workflow import VersionSummary
from debugger.views.backends import CurrentBackend
from debugger.views.panels.replays.actions import ReplayState
from debugger.views.panels.replays.start import (
    VERSION_KEY,
    WORKFLOW_KEY,
    StartDialog,
    can_replay,
    proposed_version,
)
from debugger.views.state import LastAction
from tests.support.factories import document, static
from tests.support.replayed import desk, store_desk
from tests.views.bars import badges, control
from tests.views.records import keep_records, record_of
from tests.views.row_lists import drawn, use


@pytest.fixture
def app(view, backend):
    """The page Runs with four runs of the desk, recorded with version 0; version 1 is another one."""
    store_desk(backend, desk(booking_leads_to="billing"))
    return view("runs").run()


def tick(app, *places):
    targets = [row["target"] for row in drawn(app, "Runs")["rows"]]
    use(app, [targets[place] for place in places], "tick", label="Runs")


def test_all_found_runs_are_replayed_on_newest_version(app):
    tick(app, 0)
    control(app, "choose_found").use()
    control(app, "replay_chosen").use()
    assert "**4 runs of Front desk**, recorded with v0" in [text.value for text in app.markdown]
    assert app.selectbox(key=VERSION_KEY).value == 1

    app.button(key="start_replay").click().run()

    job = record_of(app, ReplayState).job
    assert job.wait(20)
    app.run()
    assert not app.exception
    assert job.counts == {"path": 3, "same": 1}
    assert badges(app)[0] == "3 runs differ"
    assert record_of(app, StartDialog).runs == []


def test_ticked_runs_alone_are_replayed(app):
    tick(app, 1, 2)
    control(app, "replay_chosen").use()

    app.button(key="start_replay").click().run()

    assert record_of(app, ReplayState).job.wait(20)
    assert record_of(app, ReplayState).job.selected == 2


def test_runs_of_one_workflow_are_replayed_at_a_time(app, backend):
    other = backend.create_workflow(document(static("tea", "Tea?"), name="Tea room"))
    backend.execute(other.id, TurnInput.with_message(None)).finish()
    app.run()
    tick(app, 0)
    control(app, "choose_found").use()
    control(app, "replay_chosen").use()
    assert app.button(key="start_replay").label == "Replay 4 runs"

    app.selectbox(key=WORKFLOW_KEY).set_value(other.id).run()

    assert app.button(key="start_replay").label == "Replay 1 run"
    assert app.selectbox(key=VERSION_KEY).options == ["v0 · Initial Version (active)"]


def test_deleted_run_is_told_and_no_dialog_opens(app, backend):
    tick(app, 0)
    [run_id] = [row["target"] for row in drawn(app, "Runs")["rows"]][:1]
    backend.store.delete_run(run_id)

    control(app, "replay_chosen").use()

    assert record_of(app, LastAction).error is not None
    assert record_of(app, StartDialog).runs == []


def test_hosted_runs_cannot_be_replayed(monkeypatch):
    keep_records(monkeypatch, CurrentBackend("hosted"))

    assert not can_replay()


@pytest.mark.parametrize(
    ("recorded", "versions", "proposed"),
    [([1], [1, 2, 3], 3), ([3], [1, 2, 3], 2), ([1, 2], [1, 2], 2), ([1], [], None)],
)
def test_newest_version_without_the_runs_is_proposed(recorded, versions, proposed):
    common = {"workflow_run_id": "a" * 24, "workflow_id": "w", "status": "completed"}
    runs = [Run.from_wire({**common, "version_number": number}) for number in recorded]

    found = proposed_version(runs, [VersionSummary(version_number=number) for number in versions])

    assert found == proposed
