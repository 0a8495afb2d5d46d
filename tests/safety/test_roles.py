"""Users with too low a role who bypass their browser."""

from __future__ import annotations

import inspect
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from debugger.errors import ForbiddenError
from debugger.protocol.notes import Comment, RunNotes, Target
from debugger.protocol.reviews import RunVerdict
from debugger.protocol.run_file import write_run_file
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import CUSTOM_CONNECTION
from debugger.store import Role
from debugger.views import actions, backends, connections, state
from debugger.views.auth import permissions
from debugger.views.auth.owners import Owner
from debugger.views.auth.permissions import User, needed_role
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection
from debugger.views.pages import connection
from debugger.views.panels import fork_actions, mocks, presets, recordings, stepping
from debugger.views.panels import notes as note_commands
from debugger.views.panels.fork_actions import ForkState
from debugger.views.run_state import CurrentRun, RunInputs, Selection
from debugger.views.state import LastAction
from tests.support.companions import lab
from tests.support.exports import run_file
from tests.support.factories import document, say
from tests.views import conftest as pages
from tests.views.bars import captions, control, use
from tests.views.message import box, send
from tests.views.records import keep_records
from tests.views.row_lists import choose, column, lists

app, backend, clean, record, view = pages.app, pages.backend, pages.clean, pages.record, pages.view
empty_database = pages.empty_database

SECRET = "sk-of-the-environment"
NEEDS_RUN = "Needs the role run; you have read."
KINDS = ("button", "multiselect", "text_area", "button_group")
COMMANDS = [
    do
    for module in (
        actions,
        fork_actions,
        mocks,
        note_commands,
        presets,
        stepping,
    )
    for do in vars(module).values()
    if inspect.isfunction(do) and do.__module__ == module.__name__ and needed_role(do)
]


@pytest.fixture
def user(monkeypatch):
    """Signs a user in."""

    def sign_in(role, name="Ada"):
        monkeypatch.setattr(permissions, "current_user", lambda: User(name, role, is_local=False))

    return sign_in


@pytest.fixture
def recorded(backend):
    """The id of a run that another user has made."""
    workflow = backend.create_workflow(document(say("chat")))
    return backend.execute(workflow.id, TurnInput.with_message("Hello", command="start")).finish().run_id


@pytest.fixture
def api():
    """A server that notes the headers that it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.headers.append(" ".join(self.headers.values()))
            body = json.dumps({"workflows": [], "total": 0}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.headers = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def errors(app):
    return " ".join(error.value.replace("\\", "") for error in app.error)


def open_run(app, run_id):
    app.query_params["backend"], app.query_params["run"] = "embedded", run_id
    app.run()
    assert not app.exception


@pytest.mark.parametrize("do", COMMANDS, ids=lambda do: f"{do.__module__.rpartition('.')[2]}.{do.__name__}")
def test_command_refuses_lesser_role(do, user, monkeypatch):
    last = LastAction()
    keep_records(monkeypatch, last)
    lesser = list(Role)[list(Role).index(needed_role(do)) - 1]
    user(lesser)

    try:
        do(*[None for each in inspect.signature(do).parameters.values() if each.default is each.empty])
    except TypeError:  # keyword-only parameters
        do(**dict.fromkeys(inspect.signature(do).parameters))
    except ForbiddenError as error:  # a part of a command
        last.error = error

    assert isinstance(last.error, ForbiddenError)
    assert f"you have {lesser}" in last.error.message


def test_reader_starts_no_run(app, backend, user):
    backend.create_workflow(document(say("chat")))
    user(Role.READ)
    app.run()
    message_box = box(app)
    is_disabled = [control(app, name).disabled for name in ("start", "step_event", "step_node", "step_turn")]

    found = []
    for event in (
        lambda: use(app, "start"),
        lambda: use(app, "step_node"),
        lambda: send(app, "Hello"),
    ):
        event()
        found.append(NEEDS_RUN in errors(app))

    assert found == [True, True, True]
    assert is_disabled == [True, True, True, True]
    assert (message_box["disabled"], message_box["placeholder"]) == (True, NEEDS_RUN)
    assert backend.runs().rows == []


def test_reader_changes_no_run(app, backend, record, recorded, user):
    user(Role.READ)
    open_run(app, recorded)
    used = ("restart", "restart_changed", "stop", "fork_turn", "send_again", "pause_run", "resume")
    is_disabled = [control(app, name).disabled for name in used]

    for name in used[:-1]:
        use(app, name)
        assert NEEDS_RUN in errors(app), name
    send(app, "Hello")

    assert is_disabled == [True] * len(used)
    assert NEEDS_RUN in errors(app)
    assert record(ForkState).draft is None
    assert [len(backend.run(run.workflow_run_id).input_output_pairs) for run in backend.runs().rows] == [1]


def test_reader_selects_node_without_error(app, record, recorded, user):
    user(Role.READ)
    open_run(app, recorded)
    use(app, "graph_view", "Table")

    choose(app, ["node", "chat"], "The nodes")

    assert errors(app) == ""
    assert record(Selection).node == "chat"


def test_reader_writes_no_note(app, backend, recorded, user):
    user(Role.REVIEW)
    open_run(app, recorded)
    use(app, "inspector_tab", "Notes")
    names = ["star_run", "add_comment", f"tags_{recorded}", f"note_{recorded}", f"rating_{recorded}_run_"]

    refused = []
    for event in (
        lambda: app.button("star_run").click(),
        lambda: app.multiselect(f"tags_{recorded}").set_value(["late"]),
        lambda: app.text_area(f"note_{recorded}").set_value("mine"),
        lambda: app.button("add_comment").click(),
    ):
        user(Role.REVIEW)
        app.run()
        user(Role.READ)  # taken away after the page was drawn
        event().run()
        refused.append("Needs the role review; you have read." in errors(app))

    drawn = {
        key: element.proto.disabled for kind in KINDS for element in app.get(kind) if (key := element.key)
    }
    notes = backend.store.notes.of(recorded)
    assert refused == [True] * 4
    assert [drawn[name] for name in names] == [True] * 5
    assert (notes.starred, notes.tags, notes.note, notes.comments) == (False, [], "", [])


def test_reviewer_signs_with_own_name(app, backend, monkeypatch, record, recorded, user):
    backend.store.notes.comment(recorded, Target(), "Bo", "By Bo")
    user(Role.REVIEW)
    open_run(app, recorded)
    use(app, "inspector_tab", "Notes")
    drawn = app.text_input("notes_author")
    app.text_area(f"comment_{recorded}_run_").set_value("By Ada").run()
    use(app, "add_comment")
    use(app, f"rating_{recorded}_run_", "up")

    refused = []
    monkeypatch.setattr(state, "record", record)
    note_commands.call_author("Bo")
    refused.append(str(record(LastAction).error))
    note_commands.delete_comment(recorded, backend.store.notes.of(recorded).comments[0].logical_id)
    refused.append(str(record(LastAction).error))

    notes = backend.store.notes.of(recorded)
    assert (drawn.value, drawn.disabled) == ("Ada", True)
    assert [(one.author, one.content) for one in notes.comments] == [("Bo", "By Bo"), ("Ada", "By Ada")]
    assert notes.ratings_of(Target()) == {"Ada": "up"}
    assert "cannot change it" in refused[0]
    assert "another user's" in refused[1]


def test_run_bears_name_of_signed_in_user(app, backend, record, user):
    workflow = backend.create_workflow(document(say("chat")))
    user(Role.RUN)
    app.run()
    record(RunInputs).start[workflow.id, 0].set_text('{"run_by": "Bo"}')

    use(app, "start")
    assert record(CurrentRun).session.wait(10)

    assert [run.run_by for run in backend.runs().rows] == ["Ada"]


def test_reader_advances_no_background_work(app, backend, record, user):
    workflow = backend.create_workflow(lab())
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.with_message(None, command="start"))
    assert session.wait(10)
    backend.ahead += 10  # a step is due
    before = len(backend.run(session.run_id).input_output_pairs)
    user(Role.READ)
    app.run()

    record(CurrentRun).session = session  # as a link to a session under way does
    for _ in range(2):
        app.run()
    use(app, "advance_by_itself", False)
    refused = NEEDS_RUN in errors(app)
    session.wait(1)

    assert session.background.continues
    assert refused
    assert session.background.automatic
    assert len(backend.run(session.run_id).input_output_pairs) == before


def test_key_of_environment_serves_no_reader(view, api, monkeypatch, user):
    monkeypatch.setenv("INTERACTLY_BASE_URL", f"http://127.0.0.1:{api.server_address[1]}/workflows")
    monkeypatch.setenv("INTERACTLY_API_KEY", SECRET)
    user(Role.READ)
    app = view("connection").run()

    app.segmented_control("backend").set_value("hosted").run()
    refused = errors(app)
    app.button("test_hosted").click().run()
    refused += errors(app)
    row = [caption.value for caption in app.caption]
    sent = list(api.headers)
    app.text_input("hosted_key").set_value("sk-of-my-own")
    app.button("test_hosted").click().run()

    assert not app.exception
    assert "The key of the connection default is for users with the role run." in refused
    assert "Its key is for users with the role run. Enter one of your own to use it." in row
    assert [one for one in sent if SECRET in one] == []
    assert [one for one in api.headers if SECRET in one] == []
    assert any("sk-of-my-own" in one for one in api.headers)


def test_key_of_environment_is_dropped_with_role(api, monkeypatch, user):
    monkeypatch.setenv("INTERACTLY_BASE_URL", f"http://127.0.0.1:{api.server_address[1]}/workflows")
    monkeypatch.setenv("INTERACTLY_API_KEY", SECRET)
    hosted = HostedConnection()
    keep_records(monkeypatch, CurrentBackend("hosted"), hosted)
    user(Role.RUN)
    backends.current_backend().workflows()
    used = list(api.headers)

    user(Role.READ)
    with pytest.raises(ForbiddenError, match="for users with the role run"):
        backends.current_backend()

    assert [SECRET in one for one in used] == [True]
    assert hosted.backend is None
    assert (
        connections.with_key_of_environment(connections.connection("default")).api_key.get_secret_value()
        == ""
    )


def test_custom_connection_needs_administrator(api, monkeypatch, user):
    last, own = LastAction(), Owner()
    keep_records(monkeypatch, last, own)
    monkeypatch.setattr(state, "widget", {"hosted_url": f"http://127.0.0.1:{api.server_address[1]}"}.get)
    user(Role.RUN)

    connection._connect(CUSTOM_CONNECTION)

    assert "Needs the role admin; you have run." in str(last.error)
    assert own.custom is None


def test_reader_imports_no_workflow(app, backend, user):
    user(Role.RUN)
    app.run()
    use(app, "workflow_files", True)

    assert [uploader.disabled for uploader in app.get("file_uploader")] == [True]
    assert "Needs the role admin; you have run." in captions(app)


def test_reviews_of_file_are_added_by_administrators(app, backend, monkeypatch, record, recorded, user):
    forged = RunNotes(
        comments=[
            Comment(logical_id="c", target=Target(), author="Bo", content="Approved", created_at="2026")
        ]
    )
    file = run_file(backend.run(recorded), backend.workflow(backend.run(recorded).workflow_id), forged)
    file.verdicts = [RunVerdict(target=Target(), value="pass", reviewer="Bo")]
    data = write_run_file(file)
    user(Role.REVIEW)
    app.run()
    monkeypatch.setattr(state, "record", record)

    recordings.open_recording(data)

    assert record(LastAction).error is None
    assert backend.store.notes.of(recorded).comments == []
    assert backend.store.reviews.verdicts([recorded]) == {}


def test_actions_of_users_are_audited(app, backend, record, user):
    workflow = backend.create_workflow(document(say("chat")))
    user(Role.RUN)
    app.run()
    use(app, "start")
    assert record(CurrentRun).session.wait(10)
    app.run()
    send(app, "My secret words")
    assert record(CurrentRun).session.wait(10)
    app.run()
    use(app, "send_again")
    assert record(CurrentRun).session.wait(10)

    entries = backend.store.audit.newest()
    assert [(one.person, one.role, one.action) for one in entries] == [
        ("Ada", "run", "rerun turns"),
        ("Ada", "run", "send turn"),
        ("Ada", "run", "send turn"),
    ]
    assert entries[0].details == {"workflow_id": workflow.id, "backend": "embedded", "up_to_turn": 2}
    assert entries[1].target == entries[2].target != ""
    assert "secret words" not in str(entries)


def test_audit_list_is_for_administrators(view, backend, user):
    backend.store.audit.append("Bo", "run", "send turn", "run-1")
    backend.store.audit.append("Ada", "admin", "import workflow", "workflow-1")
    user(Role.RUN)
    hidden = lists(view("connection").run())
    user(Role.ADMIN)
    app = view("connection").run()

    app.selectbox("audit_person").set_value("Bo").run()

    assert not any(label.startswith("Audit list") for label in hidden)
    assert column(app, "action", "Audit list") == ["send turn"]


def test_empty_audit_list_is_hidden_without_login(view, user):
    without_login = view("connection").run()
    user(Role.ADMIN)
    with_login = view("connection").run()

    assert "##### Audit list" not in [text.value for text in without_login.markdown]
    assert "##### Audit list" in [text.value for text in with_login.markdown]
