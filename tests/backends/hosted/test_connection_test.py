from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from debugger.backends.hosted.connection_test import check_connection
from debugger.settings import HostedSettings
from tests.conformance.served import KEY, create, execute, serving
from tests.support.factories import document, say

RUN, OTHER_RUN = "665f0c2b9a3e4d5f6a7b8c90", "665f0c2b9a3e4d5f6a7b8c91"
EMPTY = {"workflows": [], "workflow_runs": [], "total": 0}
OUTCOMES = ["List workflows", "List runs", "Open a socket", "Record returns the client turn id"]


@contextmanager
def answering(answers, elsewhere="http://127.0.0.1:9/elsewhere"):
    """A server that answers paths by their beginning, the first that fits; and what it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            asked.append(f"{self.command} {self.path.partition('?')[0]}")
            status, body = next(answer for path, answer in answers.items() if self.path.startswith(path))
            is_page = isinstance(body, str)
            text = body.encode() if is_page else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            if status == 302:
                self.send_header("Location", elsewhere)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def recorded(run_id, **run_input):
    """A run's record with one turn."""
    pair = {"run_input": {"command": "start", **run_input}, "run_output": {"events": []}}
    fields = {"workflow_id": "665f00000000000000000001", "version_number": 0, "status": "completed"}
    run = {"workflow_run_id": run_id, **fields, "input_output_pairs": [pair]}
    return {"workflow_run": {"_id": run_id, "workflow_run": run}}


def checked(base_url, **fields):
    own = fields.pop("own_run_ids", ())
    settings = HostedSettings(base_url=base_url, api_key=KEY, timeout=5, connect_timeout=2, **fields)
    return check_connection(settings, own_run_ids=own)


def test_check_connection_reports_each_call_of_a_server(tmp_path):
    with serving(f"sqlite:///{tmp_path}/runs.sqlite3", tmp_path) as api:
        workflow_id = create(api, document(say("chat")))
        before = checked(str(api.base_url))
        run_id = execute(api, workflow_id, "Hi", miscellaneous={"client_turn_id": "turn-1"}).json()["run_id"]
        after = checked(str(api.base_url))
        runs = api.get("/v1/workflow-runs").json()["workflow_runs"]

    assert [check.call for check in before] == OUTCOMES
    assert [check.status for check in before] == ["200", "200", "101", ""]
    assert [check.outcome for check in before] == ["ok", "ok", "ok", "note"]
    assert before[0].path == "GET /workflows/v1/workflows"
    assert all(check.milliseconds is not None for check in before[:3])
    assert "Not known yet" in before[3].sentence
    assert "1 run." in after[1].sentence
    assert (after[3].outcome, after[3].status) == ("ok", "200")
    assert [run.get("_id") or run["id"] for run in runs] == [run_id]  # the test itself executes nothing


def test_missing_id_is_reported_for_own_runs():
    rows = [recorded(RUN)["workflow_run"]]
    answers = {
        "/workflows/v1/workflows": (200, EMPTY),
        f"/workflows/v1/workflow-runs/{RUN}": (200, recorded(RUN, miscellaneous=None)),
        "/workflows/v1/workflow-runs": (200, {"workflow_runs": rows, "total": 1}),
        "/v1/session": (404, {}),
    }
    with answering(answers) as (url, _):
        of_others = checked(f"{url}/workflows")[3]
        of_ours = checked(f"{url}/workflows", own_run_ids=[RUN])[3]

    assert "Not known yet" in of_others.sentence
    assert of_ours.sentence.startswith("No:")


def test_a_run_that_cannot_be_read_decides_nothing():
    rows = [recorded(RUN)["workflow_run"], recorded(OTHER_RUN)["workflow_run"]]
    answers = {
        "/workflows/v1/workflows": (200, EMPTY),
        f"/workflows/v1/workflow-runs/{RUN}": (500, {}),
        f"/workflows/v1/workflow-runs/{OTHER_RUN}": (
            200,
            recorded(OTHER_RUN, miscellaneous={"client_turn_id": "t"}),
        ),
        "/workflows/v1/workflow-runs": (200, {"workflow_runs": rows, "total": 2}),
        "/v1/session": (404, {}),
    }
    with answering(answers) as (url, _):
        check = checked(f"{url}/workflows", own_run_ids=[RUN])[3]

    assert check.outcome == "ok"


@pytest.mark.parametrize(
    "answer", [(404, {"detail": "Not Found"}), (404, "<html>"), (200, "<html>Gateway</html>"), (302, {})]
)
def test_base_url_without_prefix_gets_its_sentence(answer):
    with answering({"/": answer}) as (url, asked):
        workflows, _, socket, _ = checked(url)

    assert workflows.outcome == "failed"
    assert workflows.status == str(answer[0])
    assert f"try {url}/workflows" in workflows.sentence
    assert socket.outcome == "note"
    assert all(line.startswith("GET ") for line in asked)


def test_key_that_is_not_accepted_is_reported():
    with answering({"/": (401, {"message": f"No {KEY}"})}) as (url, _):
        checks = checked(f"{url}/workflows")

    assert [check.status for check in checks[:3]] == ["401", "401", "401"]
    assert "does not accept the key" in checks[0].sentence
    assert KEY not in str(checks)


def test_call_after_no_answer_is_not_made():
    checks = checked("http://127.0.0.1:9/workflows")

    assert checks[0].sentence.startswith("No server answers at http://127.0.0.1:9")
    assert checks[0].milliseconds is not None
    assert [(check.outcome, check.milliseconds) for check in checks[1:]] == [("failed", None)] * 3


def test_missing_socket_is_a_note_with_its_status():
    answers = {"/workflows/v1/workflow-runs/ws": (403, {}), "/": (200, EMPTY)}
    with answering(answers) as (url, _):
        checks = checked(f"{url}/workflows")

    assert [check.outcome for check in checks[:3]] == ["ok", "ok", "note"]
    assert checks[2].status == "403"


def test_what_is_switched_off_is_not_called():
    with answering({"/": (200, EMPTY)}) as (url, asked):
        checks = checked(f"{url}/workflows", live_events="off", client_turn_ids=False)

    assert asked == ["GET /workflows/v1/workflows", "GET /workflows/v1/workflow-runs"]
    assert ["off" in check.sentence for check in checks] == [False, False, True, True]


def test_redirected_handshake_is_not_followed():
    answers = {"/workflows/v1/workflow-runs/ws": (302, {}), "/v1/session": (404, {}), "/": (200, EMPTY)}
    with answering({"/": (200, EMPTY)}) as (other_url, asked), answering(answers, other_url) as (url, _):
        socket = checked(f"{url}/workflows")[2]

    assert (socket.outcome, socket.status) == ("note", "302")
    assert asked == []


def test_given_transport_carries_the_requests():
    paths = []

    def answer(request):
        paths.append(request.url.path)
        return httpx.Response(200, json=EMPTY)

    settings = HostedSettings(base_url="https://api.example/workflows", api_key=KEY, live_events="off")
    checks = check_connection(settings, transport=httpx.MockTransport(answer))

    assert checks[0].outcome == "ok"
    assert paths == ["/workflows/v1/workflows", "/workflows/v1/workflow-runs"]
