from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets

from debugger.engine.tools.sandbox import python_status
from debugger.errors import AuthenticationError, StoreError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.views import connections
from debugger.views.auth.owners import Owner
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection
from debugger.views.drafts import Drafts
from debugger.views.run_state import CurrentRun
from debugger.views.state import PageLinks
from debugger.views.times import shown_time
from tests.conformance.served import KEY as KEY_OF_SERVER
from tests.conformance.served import create, serving
from tests.support.factories import document, say, static
from tests.views.bars import items, use
from tests.views.records import record_of
from tests.views.row_lists import column

KEY = "sk-very-secret"
ROW = {"_id": "665f0c2b9a3e4d5f6a7b8c90", "workflow_config": {"name": "Far away"}, "active_version_number": 0}


@pytest.fixture
def api():
    """An HTTP server with one workflow, for whoever has the key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            keys.append(" ".join(self.headers.values()))
            allowed = KEY in keys[-1]
            path = self.path.partition("?")[0].rpartition("/workflows/v1/")[2]
            rows = {"workflows": {"workflows": [ROW]}, "workflow-runs": {"workflow_runs": []}}.get(path)
            answer = (
                {"total": len(next(iter(rows.values()))), **rows} if rows else {"message": "No such path"}
            )
            body = json.dumps(answer if allowed else {"message": "Who are you?"}).encode()
            self.send_response(401 if not allowed else 200 if rows else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    keys = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    server.keys = keys
    server.url = f"http://127.0.0.1:{server.server_address[1]}/workflows"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def app(view):
    """The page."""
    app = view("connection")
    yield app
    connected = record_of(app, HostedConnection).backend
    if connected is not None:
        connected.close()


def hosted(app, **typed):
    """Choose the hosted API, fill in the form and press its button."""
    app.segmented_control("backend").set_value("hosted").run()
    for name, value in typed.items():
        app.text_input(f"hosted_{name}").set_value(value)
    app.button("test_hosted").click().run()


def reloaded(app, parameters):
    """The page in a new session with the same address."""
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def everything_drawn(app):
    return repr(app._tree) + str(dict(app.query_params)) + str(app.session_state)


def test_embedded_engine_says_what_it_found(app, backend):
    backend.create_workflow(document(static("a", "Hello")), name="Tea shop")
    app.run()

    app.button("test_embedded").click().run()

    assert not app.exception
    assert app.success[0].value == "The connection works: 1 workflow found."
    assert column(app, "name", "Workflows") == ["Tea shop"]
    assert column(app, "class", "Policy") == ["talk", "read", "write", "contact"]
    assert column(app, "policy", "Policy")[2] == "blocked: refused"


def test_hosted_connection_is_tested_call_by_call(app, api):
    app.run()

    hosted(app, url=api.url, key=KEY, team="team", user="user")

    assert not app.exception
    assert app.success[0].value == "The connection works: 1 workflow\\."
    table = app.table[0].value
    assert [text.partition(" ")[2] for text in table["Call"]] == [
        "List workflows",
        "List runs",
        "Open a socket",
        "Record returns the client turn id",
    ]
    assert list(table["Status"]) == ["200", "200", "404", "–"]
    assert KEY not in everything_drawn(app)


def test_key_that_is_not_accepted_is_reported_with_advice(app, api):
    app.run()

    hosted(app, url=api.url, key="sk-wrong")

    assert not app.exception
    assert "does not accept the key" in app.error[0].value
    assert list(app.table[0].value["Status"])[:2] == ["401", "401"]
    assert "sk-wrong" not in everything_drawn(app)


def test_address_where_nothing_answers_is_reported(app):
    app.run()

    hosted(app, url="http://127.0.0.1:9/workflows", key=KEY)

    assert not app.exception
    assert "No server answers" in app.error[0].value
    assert KEY not in everything_drawn(app)


@pytest.mark.parametrize(
    ("typed", "missing"),
    [
        ({"url": "", "key": KEY}, "base URL"),
        ({"url": "https://api.example/workflows", "key": ""}, "key"),
        ({"url": "https://api.example/workflows", "key": f"Bearer {KEY}"}, "Bearer"),
        ({"url": "https://api.example/workflows/v1", "key": KEY}, "contains a part of the API"),
    ],
)
def test_form_that_cannot_be_used_says_why(app, typed, missing):
    app.run()

    hosted(app, **typed)

    assert missing in app.error[0].value
    assert KEY not in app.error[0].value


def test_server_on_this_machine_needs_no_key(app, api):
    app.run()

    hosted(app, url=api.url, key="")

    assert api.keys
    assert app.error  # this one wants a key, and says so


def test_key_is_kept_when_field_is_left_empty(app, api):
    app.run()
    hosted(app, url=api.url, key=KEY)

    hosted(app, key="")

    assert app.success
    assert "A key is set" in app.text_input("hosted_key").placeholder
    assert KEY not in everything_drawn(app)


def test_key_stays_with_another_path_of_its_origin(app, api):
    app.run()
    hosted(app, url=f"{api.url}/other", key=KEY)

    hosted(app, url=api.url, key="")

    assert app.success


def test_key_does_not_go_to_another_origin(app, api):
    app.run()
    hosted(app, url="http://127.0.0.1:9/workflows", key=KEY)

    hosted(app, url=api.url, key="")

    assert app.error
    assert KEY not in str(api.keys)


def test_key_of_environment_goes_to_its_origin_only(app, api, monkeypatch):
    monkeypatch.setenv("INTERACTLY_BASE_URL", "http://127.0.0.1:9/workflows")
    monkeypatch.setenv("INTERACTLY_API_KEY", KEY)
    app.run()
    app.segmented_control("backend").set_value("hosted").run()
    app.button("use_connection_custom").click().run()

    hosted(app, url=api.url, key="")

    assert app.error
    assert api.keys
    assert KEY not in str(api.keys)


def test_environment_connects_without_typing(app, api, monkeypatch):
    monkeypatch.setenv("INTERACTLY_BASE_URL", api.url)
    monkeypatch.setenv("INTERACTLY_API_KEY", KEY)
    app.run()

    hosted(app)

    assert app.success
    assert app.query_params["connection"] == "default"
    assert KEY not in everything_drawn(app)


def test_named_connection_is_chosen_with_one_click(app, api):
    app.secrets["connections"] = {
        "staging-eu": {"base_url": api.url, "api_key": KEY, "environment": "staging", "colour": "violet"},
        "down": {"base_url": "http://127.0.0.1:9/workflows"},
    }
    app.run()
    app.segmented_control("backend").set_value("hosted").run()

    app.button("use_connection_staging-eu").click().run()
    hosted(app)

    assert app.success
    assert dict(app.query_params) == {"backend": "hosted", "connection": "staging-eu"}
    badges = [item for item in items(app, "head_end") if item["kind"] == "badge"]
    assert [(item["text"], item["colour"]) for item in badges] == [("staging", "violet")]
    assert KEY not in everything_drawn(app)


def test_broken_connection_is_named_and_others_work(app, api):
    app.secrets["connections"] = {
        "broken": {"base_url": api.url, "api_kee": KEY},
        "good": {"base_url": api.url},
    }
    app.run()
    app.segmented_control("backend").set_value("hosted").run()

    assert not app.exception
    assert "api\\_kee" in app.warning[0].value
    assert KEY not in everything_drawn(app)
    app.button("use_connection_good").click().run()
    assert app.button("use_connection_good").disabled


@pytest.mark.parametrize("base_url", ["https://user:pa55@api.example", "https://user:pa55@api:port", "x"])
def test_unusable_base_url_of_named_connection_is_not_shown(app, base_url):
    app.secrets["connections"] = {"eu": {"base_url": base_url, "api_key": KEY}}
    app.run()
    app.segmented_control("backend").set_value("hosted").run()

    app.button("use_connection_eu").click().run()
    app.button("test_hosted").click().run()

    assert not app.exception
    assert "base URL" in app.error[0].value
    assert "pa55" not in everything_drawn(app)


def test_typed_key_of_named_connection_replaces_its_own(app, api):
    app.secrets["connections"] = {"eu": {"base_url": api.url, "api_key": "sk-old"}}
    app.run()
    app.segmented_control("backend").set_value("hosted").run()
    app.button("use_connection_eu").click().run()

    hosted(app, key=KEY)

    assert app.success
    assert "sk-old" not in str(api.keys)


def test_link_to_unknown_connection_sends_nothing(view, api, monkeypatch):
    monkeypatch.setenv("INTERACTLY_BASE_URL", api.url)
    monkeypatch.setenv("INTERACTLY_API_KEY", KEY)
    app = view("debug")
    app.query_params["backend"], app.query_params["connection"] = "hosted", "elsewhere"

    app.run()

    assert not app.exception
    assert "elsewhere" in app.error[0].value
    assert api.keys == []


def test_unencrypted_connection_needs_consent_before_anything_is_sent(app, monkeypatch):
    sent = []

    def send(client, request, **_):
        sent.append(str(request.url))
        raise httpx.ConnectError("There is no such machine.")

    monkeypatch.setattr(httpx.Client, "send", send)
    app.run()

    hosted(app, url="http://10.255.255.1/workflows", key=KEY)

    assert "not encrypted" in app.error[0].value
    assert sent == []
    app.checkbox("hosted_unencrypted").check()
    app.button("test_hosted").click().run()
    assert not app.exception
    assert sent == ["http://10.255.255.1/workflows/v1/workflows?page=1&size=20"]


def test_consent_is_for_named_host_alone(app, monkeypatch):
    sent = []

    def send(client, request, **_):
        sent.append(request.url.host)
        raise httpx.ConnectError("There is no such machine.")

    monkeypatch.setattr(httpx.Client, "send", send)
    app.run()
    hosted(app, url="http://10.255.255.1/workflows", key=KEY)
    app.checkbox("hosted_unencrypted").check()
    app.button("test_hosted").click().run()

    hosted(app, url="http://10.255.255.2/workflows", key=KEY)

    assert "not encrypted" in app.error[0].value
    assert not app.checkbox("hosted_unencrypted").value
    assert sent == ["10.255.255.1"]


def test_consent_is_not_kept_where_connecting_failed(app):
    app.run()
    hosted(app, url="http://10.255.255.1/workflows", key=f"Bearer {KEY}")
    app.checkbox("hosted_unencrypted").check()

    app.button("test_hosted").click().run()

    assert "Bearer" in app.error[0].value
    assert record_of(app, Owner).unencrypted_origins == set()
    assert not app.checkbox("hosted_unencrypted").value


def test_database_is_shown_without_its_password(app, monkeypatch):
    url = "postgresql://host/runs?user=ada&password=hunter2"
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DATABASE", url)

    app.run()

    assert "postgresql://host/runs" in [text.value for text in app.text]


def test_reload_keeps_url_and_key_for_same_browser_alone(app, view, api, monkeypatch):
    token = secrets.token_urlsafe(32)
    monkeypatch.setattr(connections, "owner_token", lambda: token)
    app.run()
    hosted(app, url=api.url, key=KEY)
    assert app.success

    again = reloaded(view("connection"), app.query_params)
    hosted(again)

    assert again.success
    assert again.text_input("hosted_url").value == api.url
    assert dict(app.query_params) == {"backend": "hosted", "connection": "custom"}

    monkeypatch.setattr(connections, "owner_token", lambda: secrets.token_urlsafe(32))
    other = reloaded(view("connection"), app.query_params)

    assert other.text_input("hosted_url").value == ""
    assert api.url not in everything_drawn(other)
    for each in (app, again):
        record_of(each, HostedConnection).backend.close()


def test_new_key_keeps_run_and_draft(app, tmp_path):
    with serving(f"sqlite:///{tmp_path}/served.sqlite3", tmp_path) as served:
        workflow_id = create(served, document(say("chat")))
        url = str(served.base_url)
        app.run()
        hosted(app, url=url, key=KEY_OF_SERVER)
        session = record_of(app, CurrentRun).session = DebugSession(
            record_of(app, HostedConnection).backend, workflow_id, 0
        )
        session.start(TurnInput.with_message("Hello"))
        assert session.wait(10)
        assert session.error is None

        hosted(app, key="sk-wrong")
        record_of(app, CurrentRun).awaits_turn = True
        session.send("Still there?")
        assert session.wait(10)
        assert isinstance(session.error, AuthenticationError)
        record_of(app, Drafts).texts[session.run_id] = session.unsent_message
        hosted(app, key=KEY_OF_SERVER)

        assert record_of(app, CurrentRun).session is session
        assert record_of(app, Drafts).texts == {session.run_id: "Still there?"}
        session.send("Still there?")
        assert session.wait(10)
        assert session.error is None
        assert [turn.number for turn in session.turns] == [1, 2]


def test_forget_drops_url_and_key(app, view, api, monkeypatch):
    token = secrets.token_urlsafe(32)
    monkeypatch.setattr(connections, "owner_token", lambda: token)
    app.run()
    hosted(app, url=api.url, key=KEY)

    app.button("forget_hosted").click().run()

    assert not app.exception
    assert app.text_input("hosted_url").value == ""
    assert connections.owners.find(token).custom is None
    assert reloaded(view("connection"), app.query_params).text_input("hosted_url").value == ""
    api.keys.clear()
    hosted(app, url=api.url, key="")
    assert KEY not in str(api.keys)


@pytest.mark.parametrize("name", ["custom", "eu"])
def test_key_forgotten_in_other_tab_is_used_no_more(app, view, api, monkeypatch, name):
    token = secrets.token_urlsafe(32)
    monkeypatch.setattr(connections, "owner_token", lambda: token)
    other = view("connection")
    for tab in (app, other):
        tab.secrets["connections"] = {"eu": {"base_url": api.url}}
        tab.query_params["backend"], tab.query_params["connection"] = "hosted", name
        tab.run()
        typed = {"url": api.url, "key": KEY} if name == "custom" else {"key": KEY}
        for field, value in typed.items():
            tab.text_input(f"hosted_{field}").set_value(value)
        tab.button("test_hosted").click().run()
        assert tab.success

    app.button("forget_hosted").click().run()
    api.keys.clear()
    use(other, "to_debug")

    connected = record_of(other, HostedConnection).backend
    if connected is not None:
        connected.close()

    assert not other.exception
    assert other.error
    assert KEY not in str(api.keys)


def test_secrets_file_that_is_no_toml_is_reported(app, tmp_path, monkeypatch):
    (tmp_path / "secrets.toml").write_text(f'[connections.eu]\napi_key = "{KEY}" "\n')
    monkeypatch.setattr(st, "secrets", Secrets())
    files = [str(tmp_path / "secrets.toml")]
    option = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: files if name == "secrets.files" else option(name))
    monkeypatch.setattr(config, "get_option", lambda name: files if name == "secrets.files" else option(name))
    app.run()
    app.segmented_control("backend").set_value("hosted").run()

    assert not app.exception
    assert "secrets\\.toml cannot be read" in app.warning[0].value
    assert KEY not in everything_drawn(app)


def test_another_base_url_closes_run(app, api):
    app.run()
    hosted(app, url=api.url, key=KEY)
    record_of(app, CurrentRun).session = "a run on view"

    app.text_input("hosted_url").set_value(f"{api.url}/other")
    app.button("test_hosted").click().run()

    assert record_of(app, CurrentRun).session is None


def test_changing_backend_takes_run_off_view_and_keeps_it_on_record(app, backend):
    backend.create_workflow(document(say("chat")))
    app.run()
    record_of(app, CurrentRun).session = "a run on view"

    app.segmented_control("backend").set_value("hosted").run()

    assert record_of(app, CurrentRun).session is None
    assert record_of(app, CurrentBackend).name == "hosted"


def test_environment_that_makes_no_sense_is_told(app, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_MAX_NODE_RUNS", "many")

    app.run()

    assert not app.exception
    assert "WORKFLOW" in app.error[0].value


def test_hosted_api_says_beforehand_that_its_calls_are_real(app):
    app.run()
    go_to = app.segmented_control("backend")

    go_to.set_value("hosted").run()

    assert any("makes every call for real" in caption.value for caption in app.caption)


@pytest.mark.parametrize("setting", ["off", "sandboxed", "unsafe"])
def test_page_names_mode_of_python(app, monkeypatch, setting):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_INLINE_PYTHON", setting)

    app.run()

    assert python_status(setting).description.removesuffix(".") in [text.value for text in app.text]


def test_workflows_are_listed_in_the_pages_zone(view, backend, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DISPLAY_TIME_ZONE", "Pacific/Kiritimati")
    backend.create_workflow(document(say("chat")))
    app = view("connection")
    app.run()

    app.button("test_embedded").click().run()

    [shown] = column(app, "updated", "Workflows")
    assert shown == shown_time(backend.workflows()[0].updated_at)


def test_link_to_unknown_connection_can_be_left(app, api):
    app.query_params["backend"], app.query_params["connection"] = "hosted", "elsewhere"
    app.run()

    app.button("use_connection_custom").click().run()
    hosted(app, url=api.url, key=KEY)

    assert not app.exception
    assert app.success


def test_revocation_that_fails_is_reported(app, backend, monkeypatch):
    workflow = backend.create_workflow(document(say("chat")))
    backend.store.python_consents.add(workflow.id, 0, "digest", "me")
    app.run()

    def fail(*_):
        raise StoreError("The database is away.")

    monkeypatch.setattr(backend.store.python_consents, "remove", fail)
    app.button(f"take_back_{workflow.id}_0").click().run()

    assert [error.value for error in app.error] == ["The database is away\\."]


def test_recording_leads_to_the_page_that_opens_one(app):
    app.run()
    record_of(app, CurrentBackend).name = "recording"
    app.run()

    use(app, "to_recordings")

    assert not app.exception
    assert record_of(app, PageLinks).on_view == "runs"
