"""Runs that are played here, those of a server of ours in another process among them."""

from __future__ import annotations

import copy
import re
import secrets
from html import unescape

import pytest

from debugger.backends.hosted import HostedBackend
from debugger.engine.mocks import Pin, Target
from debugger.protocol.runs import Run
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views.address_bar import DebugBar
from debugger.views.auth import permissions
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from tests.conformance.served import KEY, create, execute, serving
from tests.support.factories import direct, document, say, static, when
from tests.views.bars import badges, captions, control, keys, use
from tests.views.message import box, send
from tests.views.row_lists import choose
from tests.views.talk import words


def desk(greeting="Welcome."):
    return document(
        static("hello", greeting),
        say("chat"),
        static("gold", "Gold desk."),
        static("plain", "Plain desk."),
        direct("hello", "chat"),
        when("chat", "gold", "[[level]] == 'gold'", name="gold"),
        when("chat", "plain", "[[level]] == 'plain'", name="plain"),
        logical_id="desk",
    )


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with serving(f"sqlite:///{folder}/served.sqlite3", folder, WORKFLOW_DEBUGGER_RESPONDER="rules") as api:
        yield api


@pytest.fixture
def hosted_run(app, api, record):
    """Opens a run of two turns on a server in another process; gives its id and its workflow's."""
    workflow_id = create(api, desk(f"Welcome {secrets.token_hex(4)}."))
    run_id = execute(api, workflow_id, "Hello").json()["run_id"]
    execute(api, workflow_id, "I want to book", run_id=run_id)
    app.secrets["connections"] = {"there": {"base_url": str(api.base_url), "api_key": KEY}}
    for name, value in {"backend": "hosted", "connection": "there", "workflow": workflow_id}.items():
        app.query_params[name] = value
    app.query_params["run"] = run_id
    app.run()
    assert not app.exception
    yield run_id
    hosted = record(HostedConnection).backend
    if hosted is not None:
        hosted.close()


@pytest.fixture
def played(app, record):
    """Presses a button, waits until the record is played, and gives the session."""

    def done(key="play_record"):
        use(app, key)
        assert record(LastAction).error is None, record(LastAction).error
        session = record(CurrentRun).session
        assert session.input_replay.wait(20)
        app.run()
        assert not app.exception
        return session

    return done


def planted(monkeypatch, change):
    """The record of the hosted run as a function changes its events."""
    read = HostedBackend.run

    def run(self, run_id):
        wire = copy.deepcopy(dict(read(self, run_id).to_wire()))
        for pair in wire["input_output_pairs"]:
            pair["run_output"]["events"] = [change(event) for event in pair["run_output"]["events"]]
        return Run.from_wire(wire)

    monkeypatch.setattr(HostedBackend, "run", run)


def open_address(app, record, address):
    record(DebugBar).left.clear()
    app.query_params.clear()
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception


def texts(app):
    html = [unescape(re.sub("<[^>]*>", " ", element.proto.body)) for element in app.get("html")]
    return " / ".join([captions(app), *(part.value for part in (*app.markdown, *app.code)), *html])


def test_hosted_run_is_played_here_as_recorded(app, backend, record, hosted_run, played):
    said = words(app)

    session = played()

    assert record(CurrentBackend).name == "embedded"
    assert session.backend is backend
    assert words(app) == said
    assert "As recorded: 2 of 2 turns and steps" in captions(app)
    assert "was added to the embedded engine for it." in captions(app)
    origin = backend.store.forks.of(session.run_id)
    assert (origin.source_run_id, origin.way, origin.note) == (
        hosted_run,
        "played",
        "of the connection there",
    )
    assert "played run" in badges(app)
    assert "fork it from a turn" in box(app)["placeholder"] and box(app)["disabled"]


def test_version_is_added_once_and_does_not_become_active_one(app, backend, record, hosted_run, played):
    workflow = backend.create_workflow(desk("Another greeting."))
    address = dict(app.query_params)

    first = played()

    assert (first.workflow_id, first.version_number) == (workflow.id, 1)
    assert "it is not the active one" in captions(app)
    assert backend.workflow_summary(workflow.id).active_version_number == 0
    open_address(app, record, address)
    assert record(CurrentRun).session.run_id == hosted_run
    again = played()
    assert (again.workflow_id, again.version_number) == (workflow.id, 1)
    assert "was added" not in captions(app)


def test_played_run_is_opened_here_from_tree_of_hosted_run(app, record, hosted_run, played):
    address = dict(app.query_params)
    session = played()
    assert "root" in captions(app) and "crumb_0" not in keys(app)  # that run is in another backend
    open_address(app, record, address)
    assert record(CurrentRun).session.run_id == hosted_run

    use(app, "open_tree")
    choose(app, session.run_id, "The run and its forks, each below the run that it was forked from")

    assert record(LastAction).error is None
    assert record(CurrentBackend).name == "embedded"
    assert record(CurrentRun).session.run_id == session.run_id


def test_planted_edge_is_first_difference_on_page(app, record, hosted_run, played, monkeypatch):
    def change(event):
        if event["type"] == "assistant_response" and "Welcome" in event["content"]:
            return {**event, "content": "Good morning."}
        if event["type"].endswith("_edge") and event["source_node_logical_id"] == "hello":
            return {**event, "destination_node_logical_id": "gold"}
        return event

    planted(monkeypatch, change)

    session = played()

    first = session.playback.first_difference.difference
    assert first.startswith("turn 1, Hello: ") and " instead of " in first
    assert f"First difference: {first}" in captions(app)
    assert "turn 2: as recorded" in captions(app)


def test_edge_of_played_run_is_explained(app, record, hosted_run, played):
    session = played()

    use(app, "inspector_tab", "Why")

    assert session.turns
    assert "Chat" in texts(app) and "[[level]] == 'gold'" in texts(app)
    assert "false" in texts(app)


def test_steps_pause_before_first_node(app, record, hosted_run):
    use(app, "step_record")
    session = record(CurrentRun).session
    assert session.wait_until_idle(10)
    app.run()

    assert "Before Hello." in session.stop_point.text
    use(app, "resume")
    assert session.input_replay.wait(20)
    app.run()
    assert session.playback.lines == ["turns 1 to 2: as recorded"]


def test_embedded_run_is_played_with_its_own_version(app, backend, record, press, settle, played):
    backend.create_workflow(desk())
    app.run()
    press("start")
    send(app, "hello")
    settle()
    first = record(CurrentRun).session

    session = played()

    assert (session.workflow_id, session.version_number) == (first.workflow_id, first.version_number)
    assert session.run_id != first.run_id
    assert "As recorded: 2 of 2 turns and steps" in captions(app)
    assert "was added" not in captions(app)


def test_pin_of_run_on_view_does_not_answer_in_played_run(app, backend, record, press, settle, played):
    backend.create_workflow(desk())
    app.run()
    press("start")
    send(app, "hello")
    settle()
    first = record(CurrentRun).session
    first.mocks.put(Pin(Target("model", "chat"), {"text": "Pinned."}))

    session = played()

    assert not session.mocks
    assert "As recorded" in captions(app)


def test_rest_of_stopped_play_is_played_on(app, backend, record, press, settle, played, monkeypatch):
    backend.create_workflow(desk())
    app.run()
    press("start")
    for text in ("one", "two"):
        send(app, text)
        settle()
    backend.gate.clear()
    use(app, "play_record")
    use(app, "take_over")
    backend.gate.set()
    session = record(CurrentRun).session
    assert session.input_replay.wait(20)
    app.run()
    assert "As recorded: 1 of 3" in captions(app)

    played("play_on")

    assert "As recorded: 3 of 3" in captions(app)
    assert "play_on" not in keys(app)


def test_run_that_another_session_continued_is_not_played_on(
    app, backend, record, press, settle, monkeypatch
):
    backend.create_workflow(desk())
    app.run()
    press("start")
    for text in ("one", "two"):
        send(app, text)
        settle()
    backend.gate.clear()
    use(app, "play_record")
    use(app, "take_over")
    backend.gate.set()
    session = record(CurrentRun).session
    assert session.input_replay.wait(20)
    other = DebugSession.open(backend, session.run_id)
    other.send("Something else")
    assert other.wait(10)
    app.run()

    use(app, "reload_run")

    assert "play_on" not in keys(app)
    assert "The run was continued with other input" in captions(app)


def test_reader_cannot_play(app, backend, press, monkeypatch):
    backend.create_workflow(desk())
    app.run()
    press("start")
    reader = permissions.User("Ada", Role.READ, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: reader)

    app.run()

    assert control(app, "play_record").disabled
    assert control(app, "step_record").disabled


def test_user_who_may_not_import_cannot_add_version(app, backend, record, hosted_run, monkeypatch):
    runner = permissions.User("Ada", Role.RUN, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: runner)

    use(app, "play_record")

    assert "Needs the role admin" in str(record(LastAction).error)
    assert backend.store.workflows()[1] == 0
    assert record(CurrentRun).session.run_id == hosted_run
