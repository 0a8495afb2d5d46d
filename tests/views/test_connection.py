from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.factories import document, say, static

KEY = "sk-very-secret"
ROW = {"_id": "665f0c2b9a3e4d5f6a7b8c90", "workflow_config": {"name": "Far away"}, "active_version_number": 0}


@pytest.fixture
def api():
    """An HTTP server with one workflow, for whoever has the key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            keys.append(" ".join(self.headers.values()))
            allowed = KEY in keys[-1]
            rows = {"workflows": [ROW], "total": 1, "page": 1, "size": 100, "pages": 1}
            body = json.dumps(rows if allowed else {"message": "Who are you?"}).encode()
            self.send_response(200 if allowed else 401)
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
    connected = app.session_state["debugger_page"].hosted_backend
    if connected is not None:
        connected.close()


def hosted(app, **typed):
    """Choose the hosted API, fill in the form and press its button."""
    app.segmented_control("backend").set_value("hosted").run()
    for name, value in typed.items():
        app.text_input(f"hosted_{name}").set_value(value)
    app.button("test_hosted").click().run()


def everything_drawn(app):
    return repr(app) + str(dict(app.query_params)) + str(app.session_state)


def test_the_embedded_engine_says_what_it_found(app, backend):
    backend.create_workflow(document(static("a", "Hello")), name="Tea shop")
    app.run()

    app.button("test_embedded").click().run()

    assert not app.exception
    assert app.success[0].value == "The connection works: 1 workflow found."
    found = {each.proto.alt.partition(" ")[0]: each.value for each in app.dataframe}
    assert list(found["Workflows"]["name"]) == ["Tea shop"]
    assert list(found["Policy"]["class"]) == ["talk", "read", "write", "contact"]
    assert list(found["Policy"]["policy"])[2] == "blocked: refused"


def test_the_hosted_api_says_what_it_found(app, api):
    app.run()

    hosted(app, url=api.url, key=KEY, team="team", user="user")

    assert not app.exception
    assert app.success[0].value == "The connection works: 1 workflow found."
    assert list(app.dataframe[0].value["name"]) == ["Far away"]


def test_a_key_that_is_not_accepted_is_told_with_advice(app, api):
    app.run()

    hosted(app, url=api.url, key="sk-wrong")

    assert not app.exception
    assert "key" in app.error[0].value
    assert "sk-wrong" not in app.error[0].value


def test_an_address_where_nothing_answers_is_told(app):
    app.run()

    hosted(app, url="http://127.0.0.1:9/workflows", key=KEY)

    assert not app.exception
    assert app.error
    assert KEY not in app.error[0].value


@pytest.mark.parametrize(
    ("typed", "missing"),
    [({"url": "", "key": KEY}, "base URL"), ({"url": "https://api.example/workflows", "key": ""}, "key")],
)
def test_a_form_that_is_not_complete_says_what_is_missing(app, typed, missing):
    app.run()

    hosted(app, **typed)

    assert missing in app.error[0].value


def test_a_server_on_this_machine_is_asked_without_a_key(app, api):
    app.run()

    hosted(app, url=api.url, key="")

    assert len(api.keys) == 1
    assert app.error  # this one wants a key, and says so


def test_the_key_is_kept_when_the_field_is_left_empty_and_nowhere_shown(app, api):
    app.run()
    hosted(app, url=api.url, key=KEY)

    hosted(app, key="")

    assert app.success
    assert "A key is set" in app.text_input("hosted_key").placeholder
    assert KEY not in everything_drawn(app)


def test_a_kept_key_does_not_go_to_another_address(app, api):
    app.run()
    hosted(app, url="http://127.0.0.1:9/workflows", key=KEY)

    hosted(app, url=api.url, key="")

    assert app.error
    assert KEY not in str(api.keys)


def test_a_key_of_the_environment_goes_to_its_own_address_only(app, api, monkeypatch):
    monkeypatch.setenv("INTERACTLY_BASE_URL", "http://127.0.0.1:9/workflows")
    monkeypatch.setenv("INTERACTLY_API_KEY", KEY)
    app.run()

    hosted(app, url=api.url, key="")

    assert app.error
    assert KEY not in str(api.keys)


def test_the_environment_connects_without_typing(app, api, monkeypatch):
    monkeypatch.setenv("INTERACTLY_BASE_URL", api.url)
    monkeypatch.setenv("INTERACTLY_API_KEY", KEY)
    app.run()

    hosted(app)

    assert app.success
    assert KEY not in everything_drawn(app)


def test_changing_the_backend_takes_the_run_off_view_and_keeps_it_on_record(app, backend):
    backend.create_workflow(document(say("chat")))
    app.run()
    page = app.session_state["debugger_page"]
    page.session = "a run on view"

    app.segmented_control("backend").set_value("hosted").run()

    assert page.session is None
    assert page.backend_name == "hosted"


def test_an_environment_that_makes_no_sense_is_told(app, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_MAX_NODE_RUNS", "many")

    app.run()

    assert not app.exception
    assert "WORKFLOW" in app.error[0].value


def test_the_hosted_api_says_beforehand_that_its_calls_are_real(app):
    app.run()
    go_to = app.segmented_control("backend")

    go_to.set_value("hosted").run()

    assert any("makes every call for real" in caption.value for caption in app.caption)
