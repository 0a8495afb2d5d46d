from __future__ import annotations

import json
import threading

import pytest

from debugger.replays.results import ReplayResult
from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.panels.compare.actions import CompareState
from debugger.views.panels.replays import actions
from debugger.views.panels.replays.actions import COMMENT_KEY, ReplayState
from debugger.views.panels.replays.address import ReplayOnView
from debugger.views.run_state import CurrentRun
from tests.support.replayed import desk, store_desk
from tests.views.bars import badges, bars, captions, control, meters, use
from tests.views.records import record_of
from tests.views.row_lists import choose, column, drawn, rows

GROUPS, RUNS = "Groups", "Runs of the group"


@pytest.fixture
def replayed(view, backend):
    """Gives the page with a replay of the desk's runs on a changed version."""

    def made(changed=None, **runs):
        workflow_id = store_desk(backend, changed or desk(booking_leads_to="billing"), **runs)
        app = view("replay")
        ids = [run.workflow_run_id for run in backend.runs(workflow_id=workflow_id).rows]
        job = actions.ReplayJob(
            actions.Replayer(backend, workflow_id, 1).replay,
            backend.store.replays,
            actions.ReplayTarget(workflow_id, 1, ""),
            ids,
            started_by="Ada",
            selected=len(ids),
        )
        job.start()
        assert job.wait(20)
        assert job.error is None
        app.run()
        assert not app.exception
        return app

    return made


def test_without_replay_page_leads_to_runs(view):
    app = view("replay").run()

    assert not app.exception
    assert "There is no replay yet" in captions(app)
    assert app.button(key="open_runs").label == "Open Runs"


def test_replay_of_another_process_is_followed_to_its_end(view, backend):
    workflow_id = store_desk(backend, desk(booking_leads_to="billing"), books=2, bills=0)
    [first, second] = [run.workflow_run_id for run in backend.runs(workflow_id=workflow_id).rows]
    play, released = actions.Replayer(backend, workflow_id, 1).replay, threading.Event()

    def play_slowly(run_id, cancelled):
        if run_id == second:
            released.wait(20)
        return play(run_id, cancelled)

    target = actions.ReplayTarget(workflow_id, 1, "")
    runs = [first, second]
    job = actions.ReplayJob(
        play_slowly, backend.store.replays, target, runs, started_by="Ada", selected=len(runs)
    )
    job.start()
    app = view("replay").run()
    during = badges(app)[0], record_of(app, ReplayState).is_watched

    released.set()
    assert job.wait(20)
    app.run()

    assert during == ("Running", True)
    assert badges(app)[0] == "2 runs differ"
    assert record_of(app, ReplayState).is_watched is False


def test_group_says_what_where_and_since_which_change(replayed):
    app = replayed(books=3)

    [row] = rows(app, GROUPS)
    assert row == {
        "verdict": "Other path",
        "runs": "3",
        "where": "Desk",
        "what": "book → Billing instead of book → Booking",
        "since": "edge Desk → Billing (book) changed (destination_node_logical_id)",
        "accepted": None,
    }
    assert "4 runs on version 1: 1 the same, 3 on another path" in captions(app)
    assert badges(app)[0] == "3 runs differ"


def test_divergence_is_drawn_on_both_versions(replayed):
    app = replayed()

    graph = next(data for data in pictures(app) if "edges" in data)
    assert {state["state"] for state in graph["edges"].values()} == {"only_a", "only_b"}
    assert graph["nodes"]["desk"]["order"] == "3 runs"
    assert {"recorded", "instead"} <= set(badges(app))


def test_run_of_a_group_is_compared_on_both_versions(replayed):
    app = replayed()
    run_id, *place = drawn(app, RUNS)["rows"][0]["target"]

    choose(app, [run_id, *place], RUNS)

    compared = record_of(app, CompareState)
    assert {side: each.text("embedded") for side, each in compared.places.items()} == {
        "a": f"{run_id}@0",
        "b": f"{run_id}@1",
    }
    sentence = "after “Desk”: A takes “book” to “Booking”, B takes “book” to “Billing”"
    assert sentence in compared.side_by_side().sentence
    assert "A as replayed" in captions(app)


def test_run_that_cannot_be_replayed_opens_on_debug(replayed, backend):
    app = replayed()
    run_id = drawn(app, RUNS)["rows"][0]["target"][0]

    choose(app, [run_id, None, None, None], RUNS)

    assert record_of(app, CurrentRun).session.run_id == run_id


def test_same_runs_are_green(replayed):
    app = replayed(desk())

    assert badges(app)[0] == "Nothing new differs"
    assert "4 runs on version 1: 4 the same" in captions(app)
    with pytest.raises(StopIteration):
        drawn(app, GROUPS)


def test_accepted_group_leaves_next_replay_green(replayed):
    app = replayed()
    app.button(key="accept_group").click().run()
    app.text_area(key=COMMENT_KEY).set_value("Booking by phone ended.").run()
    app.button(key="accept").click().run()
    assert not app.exception
    assert badges(app)[0] == "Nothing new differs"

    control(app, "replay_again").use()
    assert record_of(app, ReplayState).job.wait(20)
    app.run()

    assert not app.exception
    assert badges(app)[0] == "Nothing new differs"
    assert "1 the same, 3 accepted" in captions(app)
    assert column(app, "accepted", GROUPS) == ["✓ me"]
    assert "Booking by phone ended." in captions(app)


def test_comment_of_another_user_is_not_replaced(replayed, backend):
    app = replayed()
    app.button(key="accept_group").click().run()
    accept_by_store(backend, app)

    app.button(key="accept").click().run()

    assert not app.exception
    assert "Bob has accepted it meanwhile" in app.error[0].value
    workflow_id = backend.store.replays.find(replay_on_view(app)).target.workflow_id
    assert [each.accepted_by for each in backend.store.replays.acceptances(workflow_id).values()] == ["Bob"]


def test_withdrawn_group_differs_again(replayed, backend):
    app = replayed()
    accept_by_store(backend, app)
    app.run()
    assert badges(app)[0] == "Nothing new differs"

    app.button(key="withdraw_group").click().run()

    assert badges(app)[0] == "3 runs differ"


def test_accepted_groups_come_last(replayed, backend):
    app = replayed(desk(booking_leads_to="billing", greeting="Good evening."), books=3, bills=1)
    assert column(app, "verdict", GROUPS) == ["Other path", "Other words"]

    accept_by_store(backend, app)
    app.run()

    assert column(app, "verdict", GROUPS) == ["Other words", "Other path"]
    assert app.markdown[-2].value == "**Other words** at **Desk**"


def test_group_of_the_address_is_shown(replayed):
    app = replayed(desk(booking_leads_to="billing", greeting="Good evening."), books=3, bills=1)
    key = drawn(app, GROUPS)["rows"][1]["target"]

    app.query_params["group"] = key
    app.run()

    assert drawn(app, GROUPS)["chosen"] == 1


def test_line_ends_with_a_gap_also_without_another_replay(replayed):
    app = replayed()

    [line] = json.loads(json.loads(bars(app)["replay_controls"].proto.json)["bars"])
    assert line["items"][-1]["kind"] == "space"


def test_newer_replay_of_another_user_waits_in_the_list(replayed, backend):
    app = replayed()
    first = replay_on_view(app)
    target = backend.store.replays.find(first).target
    backend.store.replays.begin("f" * 24, target, started_by="Bob", program_version="", selected=1)

    app.run()

    assert replay_on_view(app) == first
    assert len(control(app, "replay_history").options) == 2


def test_unknown_replay_of_the_address_is_told(replayed):
    app = replayed()
    record_of(app, ReplayOnView).replay = "f" * 24

    app.run()

    assert "There is no replay" in app.error[0].value


@pytest.mark.parametrize("wanted", ["f" * 24, "<b>" * 9_000, "a\0b", "![x](http://h/x.png)"])
def test_others_are_chosen_in_place_of_an_unknown_replay(replayed, wanted):
    app = replayed()
    first = replay_on_view(app)
    app.query_params["replay"] = wanted
    app.run()
    assert not app.exception
    assert len(app.error[0].value) < 300

    use(app, "replay_history", first)

    assert not app.error
    assert badges(app)[0] == "3 runs differ"


def test_others_are_chosen_after_the_workflow_is_deleted(replayed, backend):
    app = replayed()
    target = backend.store.replays.find(replay_on_view(app)).target
    backend.store.replays.begin(
        "f" * 24, target._replace(workflow_id="a" * 24), started_by="Bob", program_version="", selected=1
    )
    backend.delete_workflow(target.workflow_id)
    app.run()
    assert "with its workflow" in app.error[0].value

    use(app, "replay_history", "f" * 24)

    assert not app.error
    assert replay_on_view(app) == "f" * 24


def test_version_of_another_replay_is_not_kept(replayed, backend):
    app = replayed()
    first = replay_on_view(app)
    workflow_id = backend.store.replays.find(first).target.workflow_id
    backend.import_version(workflow_id, desk(greeting="Hi."), expected=2)
    app.run()
    use(app, "replay_again_version", "2")
    control(app, "replay_again").use()
    assert record_of(app, ReplayState).job.wait(20)

    app.query_params["replay"] = first
    app.run()

    assert control(app, "replay_again_version").value == "1"


def test_replay_whose_runs_are_deleted_says_nothing(replayed, backend):
    app = replayed()
    for run in backend.runs().rows:
        backend.store.delete_run(run.workflow_run_id)

    app.run()

    assert badges(app)[0] == "No result"
    assert control(app, "replay_again").help == "None of its runs has a result"


def test_interrupted_replay_of_another_process_says_what_it_plays_again(replayed, backend):
    app = replayed()
    first = replay_on_view(app)
    stored = backend.store.replays.find(first)
    backend.store.replays.begin(first, stored.target, started_by="Bob", program_version="", selected=9)
    app.run()
    assert control(app, "replay_again").help == "It has not ended yet"

    backend.store.replays.end(first, is_complete=False)
    app.run()

    assert control(app, "replay_again").help == "Play 4 runs once more; 5 without a result are left out"


def test_reader_sees_buttons_disabled(replayed, monkeypatch):
    monkeypatch.setattr(permissions, "current_user", lambda: User("eve", Role.READ, is_local=False))

    app = replayed()

    assert app.button(key="accept_group").disabled
    assert control(app, "replay_again").help == "Needs the role run; you have read."


def test_running_replay_is_cancelled(replayed, monkeypatch, backend):
    app, held = replayed(), threading.Event()

    def play(run_id, cancelled):
        held.set()
        assert cancelled.wait(10)
        return ReplayResult(run_id, 0, "same")

    monkeypatch.setattr(actions, "player", lambda *version: play)
    control(app, "replay_again").use()
    assert held.wait(10)
    app.run()
    assert meters(app)[0][0].startswith("0 of 4 runs")

    control(app, "replay_cancel").use()

    assert not app.exception
    assert badges(app)[0] == "Not complete"
    assert "4 without a result" in captions(app)


def test_earlier_replay_is_chosen_in_the_list(replayed):
    app = replayed()
    first = replay_on_view(app)
    control(app, "replay_again").use()
    assert record_of(app, ReplayState).job.wait(20)
    app.run()
    assert replay_on_view(app) != first

    use(app, "replay_history", first)

    assert replay_on_view(app) == first


def pictures(app):
    return [json.loads(element.proto.json) for element in app.get("bidi_component")]


def replay_on_view(app):
    shown = app.query_params["replay"]
    return shown[0] if isinstance(shown, list) else shown


def accept_by_store(backend, app):
    """Accept the first group as another user has done."""
    replay = backend.store.replays.find(replay_on_view(app))
    key = drawn(app, GROUPS)["rows"][0]["target"]
    backend.store.replays.accept(replay.target.workflow_id, key, accepted_by="Bob", comment="")
