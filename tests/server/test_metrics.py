from __future__ import annotations

import platform
from importlib.metadata import version

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.server.auth import keys as auth_keys
from debugger.server.metrics import Metrics
from debugger.settings import Settings
from debugger.store import Role
from tests.support.factories import say, static, tool
from tests.support.server_metrics import counted, execute, new_workflow, value
from tests.support.server_sockets import opened

UNKNOWN = "665f00000000000000000001"


@pytest.fixture
def api(serve, embedded):
    """A client of a server of its own, which has counted nothing yet."""
    return serve(embedded)


def test_turn_is_counted_with_nodes_and_events(api):
    result = execute(api, new_workflow(api, static("a", "Hello"))).json()

    assert counted(api, "debugger_turns_total", status="completed") == 1
    assert counted(api, "debugger_node_runs_total") == 1
    assert counted(api, "debugger_events_total") == len(result["events"])
    assert counted(api, "debugger_turns_in_progress") == 0


def test_failed_turn_is_counted_as_error(api):
    execute(api, new_workflow(api))
    execute(api, UNKNOWN)

    assert counted(api, "debugger_turns_total", status="error") == 1
    assert counted(api, "debugger_turns_total", status="refused") == 1


def test_refused_run_counts_as_refused_turn(api):
    workflow_id = new_workflow(api, say("chat"))
    api.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 1})
    execute(api, workflow_id)

    over_http = execute(api, workflow_id).status_code
    with opened(api) as socket:
        socket.send(workflow_id=workflow_id)
        over_socket = socket.closed()[0]

    assert (over_http, over_socket) == (429, 4429)
    assert counted(api, "debugger_turns_total", status="refused") == 2
    assert counted(api, "debugger_turns_total", status="waiting_for_user_input") == 1
    assert counted(api, "debugger_turns_in_progress") == 0


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"command": "start", "rerun_token": "never given"}, 4007),
        ({"command": "stop"}, 4422),
        ({"command": "data", "workflow_run_id": UNKNOWN}, 4404),
    ],
)
def test_refused_socket_turn_is_counted(api, frame, code):
    workflow_id = new_workflow(api, say("chat"))

    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, **frame)
        closed = socket.closed()[0]

    assert closed == code
    assert counted(api, "debugger_turns_total", status="refused") == 1
    assert counted(api, "debugger_turns_total", status="error") == 0
    assert counted(api, "debugger_turns_in_progress") == 0


def test_second_turn_on_socket_counts_as_refused(api):
    workflow_id = new_workflow(api, tool("slow", "import time\ndef slow():\n    time.sleep(0.5)\n"))

    with opened(api) as socket:
        socket.send(workflow_id=workflow_id)
        socket.send(command="data")
        closed = socket.closed()[0]
    while counted(api, "debugger_turns_in_progress"):  # the first one goes to its end
        pass

    assert closed == 4409
    assert counted(api, "debugger_turns_total", status="refused") == 1
    assert counted(api, "debugger_turns_total", status="completed") == 1


def test_malformed_frame_counts_as_no_turn(api):
    with opened(api) as socket:
        socket.connection.send("tea")
        closed = socket.closed()[0]

    assert closed == 4422
    assert counted(api, "debugger_turns_total") == 0


def test_empty_background_step_counts_as_no_turn(api):
    workflow_id = new_workflow(api, say("chat"))
    run_id = execute(api, workflow_id).json()["run_id"]

    api.post(f"/v1/workflows/{workflow_id}/runs/{run_id}/pump-companions")

    assert counted(api, "debugger_turns_total", status="waiting_for_user_input") == 1


def test_the_key_is_asked_for(serve, embedded):
    client = serve(embedded, api_key="sk-right")

    assert client.get(client.base_url.join("/metrics")).status_code == 401


def test_each_app_has_own_counters(serve, embedded):
    first, second = serve(embedded), serve(embedded)
    first.get("/v1/workflows")

    build = {"version": version("workflow-debugger"), "python": platform.python_version()}
    assert counted(first, "debugger_build_info", **build) == 1
    assert counted(first, "process_cpu_seconds_total") > 0
    assert counted(first, "debugger_http_requests_total", route="/v1/workflows") == 1
    assert counted(second, "debugger_http_requests_total", route="/v1/workflows") == 0


def test_unrouted_429_counts_as_rate():
    metrics = Metrics("1.0")

    metrics.request("GET", "", 429, 0.001)

    assert value(metrics.exposition().decode(), "debugger_refusals_total", reason="rate") == 1


@pytest.fixture
def keyed(tmp_path):
    """An engine whose store is to hold keys: nobody without one gets past it then."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/keyed.sqlite3", responder="rules"))
    yield backend
    backend.close()


def test_requests_are_counted_by_route(api):
    for path in (f"/v1/workflows/{UNKNOWN}", "/v1/workflows/xyz", "/nowhere/secret", f"/v1/tools/{UNKNOWN}"):
        api.get(path)

    name, route = "debugger_http_requests_total", "/v1/workflows/{workflow_id}"
    assert counted(api, name, method="GET", route=route, status="404") == 1
    assert counted(api, name, method="GET", route=route, status="422") == 1
    assert counted(api, name, method="GET", route="none", status="404") == 1
    assert counted(api, "debugger_http_request_duration_seconds_count", route=route) == 2
    text = api.get(api.base_url.join("/metrics")).text
    assert not [part for part in (UNKNOWN, "xyz", "secret") if part in text]


def test_unknown_method_counts_as_other(api):
    for method in ("BREW", "STEEP"):
        api.request(method, "/v1/workflows")

    assert counted(api, "debugger_http_requests_total", method="other", status="405") == 2


def test_open_sockets_and_turns_are_counted(api):
    workflow_id = new_workflow(api, say("chat"))

    with opened(api) as socket:
        socket.turn(workflow_id=workflow_id)
        during = counted(api, "debugger_sockets_open")
    while counted(api, "debugger_sockets_open"):  # until the server has seen it
        pass

    assert during == 1
    assert counted(api, "debugger_turns_total", status="waiting_for_user_input") == 1


def test_refusals_are_counted_by_reason(serve, embedded):
    client = serve(embedded, api_key="sk-right")
    client.get("/v1/workflows")
    client.headers["Authorization"] = "Bearer sk-right"
    workflow_id = new_workflow(client, say("chat"))
    client.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 1})
    execute(client, workflow_id)

    over_http = execute(client, workflow_id)
    with opened(client, additional_headers={"Authorization": "Bearer sk-right"}) as socket:
        socket.send(workflow_id=workflow_id)
        over_socket = socket.closed()

    assert (over_http.status_code, over_socket[0]) == (429, 4429)
    assert counted(client, "debugger_refusals_total", reason="key") == 1
    assert counted(client, "debugger_refusals_total", reason="concurrency") == 2
    assert counted(client, "debugger_refusals_total", reason="rate") == 0
    assert "sk-right" not in client.get(client.base_url.join("/metrics")).text


def test_revoked_socket_counts_as_key_refusal(serve, keyed, monkeypatch):
    monkeypatch.setattr(auth_keys, "FRESH_SECONDS", 0.02)
    client = serve(keyed, api_key="sk-right")
    made, key = keyed.store.api_keys.add("Cy", Role.RUN)

    with opened(client, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
        keyed.store.api_keys.revoke(made.id)
        closed = socket.closed()[0]

    client.headers["Authorization"] = "Bearer sk-right"
    assert closed == 4401
    assert counted(client, "debugger_refusals_total", reason="key") == 1
