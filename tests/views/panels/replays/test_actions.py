from __future__ import annotations

import threading

import pytest

from debugger.errors import ForbiddenError, InputError
from debugger.replays.groups import ReplayGroup
from debugger.replays.results import ReplayResult
from debugger.store import Role
from debugger.views import navigation
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.panels.replays import actions
from debugger.views.panels.replays.actions import AcceptanceDialog, ReplayState
from debugger.views.panels.replays.address import ReplayOnView
from debugger.views.run_state import Element, Selection
from debugger.views.state import LastAction
from tests.support.replayed import desk, store_desk
from tests.views.records import keep_records

GROUP = ReplayGroup("g" * 24, "path", 1, ReplayResult("r", 0, "path"))


@pytest.fixture
def held(clean, monkeypatch):
    """The state of a tab outside of an app."""
    found = {kind: kind() for kind in (ReplayState, ReplayOnView, AcceptanceDialog, LastAction, Selection)}
    keep_records(monkeypatch, *found.values())
    widgets = {}
    monkeypatch.setattr(actions.state, "replace_record", lambda each: found.update({type(each): each}))
    monkeypatch.setattr(actions.state, "record", lambda kind: found.setdefault(kind, kind()))
    monkeypatch.setattr(actions.state, "widget", lambda key, default=None: widgets.get(key, default))
    monkeypatch.setattr(actions.state, "set_widget", widgets.__setitem__)
    monkeypatch.setattr(navigation, "go_to", lambda *place: found.update(gone_to=place))
    return found


def runs_of(backend, workflow_id):
    return [run.workflow_run_id for run in backend.runs(workflow_id=workflow_id).rows]


def test_replay_is_shown_under_its_id(held, backend):
    workflow_id = store_desk(backend, desk(), books=1, bills=0)

    actions.start_replay(runs_of(backend, workflow_id), workflow_id, 1)

    job = held[ReplayState].job
    assert job.wait(20)
    assert held["gone_to"] == ("replay", {"replay": job.replay_id})
    assert held[ReplayOnView] == ReplayOnView(job.replay_id)
    assert backend.store.replays.find(job.replay_id).started_by == "me"


def test_second_replay_waits_for_the_first(held, backend, monkeypatch):
    workflow_id, release = store_desk(backend, desk(), books=1, bills=0), threading.Event()

    def play(run_id, _):
        assert release.wait(10)
        return ReplayResult(run_id, 0, "same")

    monkeypatch.setattr(actions, "player", lambda *_: play)
    actions.start_replay(runs_of(backend, workflow_id), workflow_id, 1)

    with pytest.raises(InputError, match="has not ended yet"):
        actions.start_replay(runs_of(backend, workflow_id), workflow_id, 1)

    release.set()
    assert held[ReplayState].job.wait(20)


def test_replay_of_no_run_is_refused(held, backend):
    with pytest.raises(InputError, match="no run to replay"):
        actions.start_replay([], "a" * 24, 1)


def test_cancelled_replay_is_repeated_with_all_its_runs(held, backend, monkeypatch):
    workflow_id = store_desk(backend, desk(), books=3, bills=0)
    with monkeypatch.context() as patch:
        patch.setattr(actions, "player", lambda *_: lambda _, cancelled: cancelled.wait(10))
        actions.start_replay(runs_of(backend, workflow_id), workflow_id, 1)
        first = held[ReplayState].job
        actions.cancel()
        assert first.done == 0

    actions.replay_again(first.replay_id)

    assert held[LastAction].error is None
    assert held[ReplayState].job.wait(20)
    assert held[ReplayState].job.counts == {"same": 3}


def test_long_comment_is_refused(held, backend):
    actions.show_acceptance("w" * 24, GROUP)
    actions.state.set_widget(actions.COMMENT_KEY, "x" * 2_001)

    actions.accept()

    assert "2,001 characters" in held[LastAction].error.message
    assert held[AcceptanceDialog].group is GROUP


@pytest.mark.parametrize("do", [actions.accept, lambda: actions.withdraw("w", "g")])
def test_reader_accepts_nothing(held, monkeypatch, do):
    monkeypatch.setattr(permissions, "current_user", lambda: User("eve", Role.READ, is_local=False))

    do()

    assert isinstance(held[LastAction].error, ForbiddenError)


def test_node_shows_its_largest_group(held):
    actions.choose_element({"desk": "g"}, Element("node", "desk"))
    actions.choose_element({"desk": "g"}, Element("node", "bill"))
    actions.choose_element({"desk": "g"}, None)

    assert held[ReplayOnView].group == "g"
    assert held[Selection].node is None


def test_row_compares_both_versions(held):
    actions.open_run(["a" * 24, 2, 6, 7])

    assert held["gone_to"] == ("compare", {"a": f"{'a' * 24}@6", "b": f"{'a' * 24}@7"})
