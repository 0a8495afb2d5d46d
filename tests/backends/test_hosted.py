from __future__ import annotations

import json
import socket
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from debugger.backends.hosted import HostedBackend
from debugger.errors import (
    AnswerError,
    ApiError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    DebuggerError,
    ForbiddenError,
    InputError,
    NotFoundError,
    NotStartableError,
    RateLimitError,
    RequestTimeoutError,
    RunEndedError,
    ServerError,
    SettingsError,
    UnsupportedError,
    WorkflowError,
)
from debugger.protocol.run_search import RunSearch
from debugger.protocol.runs import TurnInput
from debugger.settings import HostedSettings
from tests.factories import document, static

WORKFLOW = "665f00000000000000000001"
RUN = "665f0c2b9a3e4d5f6a7b8c90"
KEY = "sk-very-secret"
ANSWER = {
    "run_id": RUN,
    "status": "waiting_for_user_input",
    "turn_number": 1,
    "events": [{"type": "assistant_response", "content": "Hi Ada", "extra": [1]}],
    "is_waiting_for_input": True,
    "is_completed": False,
    "next_input_hint": {"type": "busy_wait_for_user_message"},
}


class Peer(ThreadingHTTPServer):
    """Answers with what it was told to, in order, and remembers what it was asked.

    It opens no socket and knows of no tokens for one, so every turn comes as a request.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Script)
        self.url = f"http://127.0.0.1:{self.server_port}/workflows"
        self.script = []
        self.asked = []
        self.held = threading.Event()

    def answers(self, status=200, body=None, *, raw=None, kind="application/json", hold=False, **headers):
        text = json.dumps(body or {}).encode() if raw is None else raw
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append((status, text, {"Content-Type": kind, **headers}, hold))

    def count(self, method):
        return sum(asked["method"] == method for asked in self.asked)


class Script(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if self.path.endswith(("/v1/session", "/v1/workflow-runs/ws")):
            self.send_error(404)
            return
        self.server.asked.append(
            {
                "method": self.command,
                "path": self.path,
                "headers": dict(self.headers),
                "body": json.loads(body) if body else None,
            }
        )
        status, text, headers, hold = self.server.script.pop(0)
        if hold:
            self.server.held.wait()
        if status is None:
            self.wfile.write(text)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def peer():
    with Peer() as peer:
        thread = threading.Thread(target=peer.serve_forever, args=(0.01,))
        thread.start()
        yield peer
        peer.held.set()
        peer.shutdown()
        thread.join()


@pytest.fixture
def hosted(peer):
    backend = HostedBackend(HostedSettings(base_url=peer.url, api_key=KEY, timeout=5))
    yield backend
    backend.close()


def first_turn(backend):
    return backend.execute(WORKFLOW, TurnInput.saying("Hello")).finish()


def later_turn(backend):
    return backend.execute(WORKFLOW, TurnInput.saying("More", command="data"), run_id=RUN).finish()


# What is sent


def test_a_first_turn_names_its_version_twice_and_no_run(peer, hosted):
    peer.answers(body=ANSWER)

    hosted.execute(WORKFLOW, TurnInput.saying("Hello", run_by="qa"), version_number=0).finish()

    asked = peer.asked[0]
    assert asked["path"] == f"/workflows/v1/workflows/{WORKFLOW}/execute?version=0"
    assert list(asked["body"]) == ["run_input"]
    assert asked["body"]["run_input"]["version_number"] == 0
    assert asked["body"]["run_input"]["run_by"] == "qa"
    message = asked["body"]["run_input"]["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["messages"][0]
    assert (message["type"], message["content"]) == ("human", "Hello")


def test_a_turn_that_chooses_no_version_sends_none(peer, hosted):
    peer.answers(body=ANSWER)

    hosted.execute(WORKFLOW, TurnInput.saying("Hello", version_number=0)).finish()

    assert peer.asked[0]["path"].endswith("/execute")
    assert peer.asked[0]["body"]["run_input"]["version_number"] == 0


def test_a_later_turn_names_its_run_and_no_version(peer, hosted):
    peer.answers(body=ANSWER)

    hosted.execute(WORKFLOW, TurnInput.saying("More"), run_id=RUN, version_number=3).finish()

    assert peer.asked[0]["path"].endswith("/execute")
    assert peer.asked[0]["body"]["run_id"] == RUN
    assert peer.asked[0]["body"]["run_input"]["version_number"] is None


def test_an_input_without_a_thread_is_given_the_main_one(peer, hosted):
    peer.answers(body=ANSWER)

    hosted.execute(WORKFLOW, TurnInput()).finish()

    assert peer.asked[0]["body"]["run_input"]["thread_to_node_inputs"] == {"0": {"node_run_inputs": []}}


def test_unknown_fields_of_an_input_are_sent_and_secrets_are_not(peer, hosted):
    peer.answers(body=ANSWER)
    wire = {"command": "data", "future": {"a": [1]}, "secret_variables": {"pin": "1234"}}

    hosted.execute(WORKFLOW, TurnInput.from_wire(wire), run_id=RUN).finish()

    sent = peer.asked[0]["body"]["run_input"]
    assert sent["future"] == {"a": [1]}
    assert "1234" not in json.dumps(peer.asked[0]["body"])


def test_a_turn_is_one_request_where_no_socket_is_opened_and_the_reason_is_told(peer, hosted):
    peer.answers(body=ANSWER)

    result = first_turn(hosted)

    assert result.run_id == RUN
    assert peer.count("POST") == 1
    assert "404" in hosted.capabilities.reason_against("live_events")


def test_every_request_says_who_asks(peer):
    peer.answers(body={"workflows": []})
    backend = HostedBackend(
        HostedSettings(base_url=peer.url + "/", api_key=f" {KEY}\n", team_id="team", user_id="user")
    )

    backend.workflows()
    backend.close()

    headers = {name.lower(): value for name, value in peer.asked[0]["headers"].items()}
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (headers["teamid"], headers["uuid"]) == ("team", "user")
    assert headers["x-interactly-api-version"] == "2026-04-01"
    assert headers["user-agent"].startswith("workflow-debugger/")
    assert headers["content-type"] == headers["accept"] == "application/json"


def test_a_new_workflow_has_its_name_on_top_and_its_secrets_left_out(peer, hosted):
    peer.answers(201, {"workflow": {"_id": WORKFLOW, "workflow_config": {"name": "Tea"}}})
    graph = document(static("a", "Hello"), name="Tea", description="Sells tea")

    summary = hosted.create_workflow({**graph, "secret_variables": {"pin": "1234"}, "future": 1})

    sent = peer.asked[0]["body"]
    assert (sent["name"], sent["description"], sent["future"]) == ("Tea", "Sells tea", 1)
    assert sent["node_configs"] == graph["node_configs"]
    assert "secret_variables" not in sent
    assert (summary.id, summary.name) == (WORKFLOW, "Tea")


def test_a_document_that_is_no_workflow_is_not_sent(peer, hosted):
    with pytest.raises(WorkflowError, match="not a workflow"):
        hosted.create_workflow({"name": "Tea"})

    assert peer.asked == []


@pytest.mark.parametrize("workflow_id, run_id", [("nope", None), (WORKFLOW, "../x"), (WORKFLOW.upper(), RUN)])
def test_a_malformed_id_is_not_sent(peer, hosted, workflow_id, run_id):
    with pytest.raises(InputError, match=r"is not a (workflow|run) id"):
        hosted.execute(workflow_id, TurnInput.saying("Hello"), run_id=run_id)

    assert peer.asked == []


def test_a_state_is_not_sent_and_the_reason_is_the_capability_s(peer, hosted):
    with pytest.raises(UnsupportedError) as raised:
        hosted.execute(WORKFLOW, TurnInput.saying("Hello", initial_state={"threads": {}}))

    assert raised.value.message == hosted.capabilities.reason_against("initial_state")
    assert peer.asked == []


def test_a_number_that_json_lacks_is_not_sent(peer, hosted):
    with pytest.raises(InputError, match="no JSON form"):
        hosted.execute(WORKFLOW, TurnInput.from_wire({"runtime_variables": {"x": float("inf")}})).finish()

    assert peer.asked == []


def test_without_a_key_nothing_is_sent_to_another_machine():
    backend = HostedBackend(HostedSettings(base_url="https://api.example/workflows"))

    with pytest.raises(AuthenticationError, match="No API key is set") as raised:
        first_turn(backend)

    assert "INTERACTLY_API_KEY" in raised.value.advice
    backend.close()


def test_without_a_key_this_machine_is_asked_all_the_same(peer):
    peer.answers(body={"workflows": []})
    backend = HostedBackend(HostedSettings(base_url=peer.url))

    assert backend.workflows() == []

    assert "Authorization" not in peer.asked[0]["headers"]
    backend.close()


# What is read


def test_the_events_and_the_result_of_a_turn_come_out_of_one_answer(peer, hosted):
    peer.answers(body={**ANSWER, "future": True})

    stream = hosted.execute(WORKFLOW, TurnInput.saying("Hello"))
    events = list(stream)

    assert [event.to_wire() for event in events] == ANSWER["events"]
    assert stream.run_id == RUN
    assert stream.result.to_wire() == {**ANSWER, "future": True}


@pytest.mark.parametrize(
    "flags, status",
    [
        ({"is_waiting_for_input": True, "is_completed": False}, "waiting_for_user_input"),
        ({"is_waiting_for_input": False, "is_completed": True}, "completed"),
        ({"is_waiting_for_input": False, "is_completed": True, "error": "boom"}, "failed"),
        ({"is_waiting_for_input": False, "is_completed": False}, "running"),
    ],
)
def test_an_answer_without_a_status_is_understood(peer, hosted, flags, status):
    peer.answers(body={"run_id": RUN, "turn_number": 1, "events": [], **flags})

    assert first_turn(hosted).status == status


def test_a_list_is_read_to_its_end_without_any_sign_but_the_total(peer, hosted):
    ids = [f"{number:024x}" for number in range(250)]
    for start in (0, 100, 200):
        peer.answers(body={"workflows": [{"_id": i} for i in ids[start : start + 100]], "total": 250})

    found = hosted.workflows("tea & co")

    assert [summary.id for summary in found] == ids
    assert peer.asked[2]["path"] == "/workflows/v1/workflows?page=3&size=100&search=tea+%26+co"


def test_a_list_is_read_to_its_end_by_its_own_sign(peer, hosted):
    peer.answers(body={"items": [{"_id": WORKFLOW}], "has_next": True, "size": 1})
    peer.answers(body={"items": [{"_id": RUN}], "has_next": False, "size": 1})

    assert [summary.id for summary in hosted.workflows()] == [WORKFLOW, RUN]


def test_a_list_that_repeats_itself_ends(peer, hosted):
    for _ in range(2):
        peer.answers(body={"workflows": [{"_id": WORKFLOW}], "total": 99})

    assert len(hosted.workflows()) == 1


def test_versions_without_a_flag_are_told_which_is_active_by_their_workflow(peer, hosted):
    peer.answers(body={"versions": [{"version_number": 1}, {"version_number": 0, "version_name": "First"}]})
    peer.answers(body={"workflow": {"_id": WORKFLOW, "active_version_number": 1, "workflow_config": None}})

    versions = hosted.versions(WORKFLOW)

    assert [(version.version_number, version.is_active) for version in versions] == [(0, False), (1, True)]


@pytest.mark.parametrize("key", ["config", "workflow_config"])
def test_the_graph_of_an_older_version_is_read_from_its_row(peer, hosted, key):
    graph = document(static("a", "Hello"))
    peer.answers(body={"versions": [{"version_number": 2, "config": None, key: graph}]})

    assert hosted.workflow(WORKFLOW, 2).to_wire() == graph


def test_the_graph_of_an_older_version_may_be_out_of_reach(peer, hosted):
    peer.answers(body={"versions": [{"version_number": 0, "workflow_config": {"name": "Tea"}}]})
    peer.answers(body={"workflow": {"_id": WORKFLOW, "active_version_number": 1, "workflow_config": {}}})

    with pytest.raises(UnsupportedError, match=r"active version \(1\) only"):
        hosted.workflow(WORKFLOW, 0)


def test_the_graph_of_the_active_version_is_read_two_levels_deep(peer, hosted):
    graph = document(static("a", "Hello"))
    peer.answers(body={"versions": [{"version_number": 0}]})
    peer.answers(body={"workflow": {"_id": WORKFLOW, "active_version_number": 0, "workflow_config": graph}})

    assert hosted.workflow(WORKFLOW, 0).to_wire() == graph
    assert peer.asked[1]["path"].endswith("?fully_hydrate=true")


def test_an_unknown_version_is_told_with_the_known_ones(peer, hosted):
    peer.answers(body={"versions": [{"version_number": 0}, {"version_number": 1}]})

    with pytest.raises(NotFoundError) as raised:
        hosted.workflow(WORKFLOW, 7)

    assert "no version 7" in raised.value.message
    assert "0, 1" in raised.value.advice


def test_a_run_is_read_nested_and_flat(peer, hosted):
    inner = {"workflow_run_id": RUN, "workflow_id": WORKFLOW, "status": "completed"}
    peer.answers(body={"workflow_run": {"_id": RUN, "created_at": "2026-07-01", "workflow_run": inner}})
    peer.answers(body=inner)

    nested, flat = hosted.run(RUN), hosted.run(RUN)

    assert (nested.workflow_run_id, nested.created_at) == (RUN, "2026-07-01")
    assert flat.to_wire() == inner


def test_runs_are_filtered_by_the_api(peer, hosted):
    inner = {"workflow_run_id": RUN, "workflow_id": WORKFLOW, "status": "failed", "input_output_pairs": None}
    peer.answers(body={"workflow_runs": [{"_id": RUN, "workflow_run": inner}], "total": 41})

    page = hosted.runs(workflow_id=WORKFLOW, status="failed", page=5, size=10)

    assert peer.asked[0]["path"].endswith(f"?page=5&size=10&workflow_id={WORKFLOW}&status=failed")
    assert (page.total, page.rows[0].status, page.rows[0].input_output_pairs) == (41, "failed", [])


def test_a_search_for_runs_goes_out_in_the_words_of_the_api(peer, hosted):
    peer.answers(body={"workflow_runs": [], "total": 0})
    began = datetime(2026, 7, 1, tzinfo=UTC)

    hosted.runs(search=RunSearch(since=began, text=" green  tea ", source_workflow_run_id=RUN))

    query = parse_qs(urlsplit(peer.asked[0]["path"]).query)
    assert query == {
        "page": ["1"],
        "size": ["50"],
        "start": ["2026-07-01T00:00:00+00:00"],
        "search": ["green tea"],
        "source_workflow_run_id": [RUN],
    }


@pytest.mark.parametrize("wanted", [{"tag": "smoke"}, {"starred": True}, {"version_number": 3}])
def test_what_the_api_cannot_look_for_is_refused_before_it_is_asked(peer, hosted, wanted):
    with pytest.raises(UnsupportedError, match="versions, tags and stars"):
        hosted.runs(search=RunSearch(**wanted))

    assert peer.asked == []


# What goes wrong


def test_a_web_page_asks_for_the_whole_base_url(peer, hosted):
    peer.answers(raw=b"<!doctype html><title>Welcome</title>", kind="text/html")

    with pytest.raises(AnswerError, match="with a web page") as raised:
        first_turn(hosted)

    assert "/workflows" in raised.value.advice
    assert peer.count("POST") == 1


def test_a_page_that_is_not_there_asks_for_the_whole_base_url(peer, hosted):
    peer.answers(404, raw=b"<h1>nginx</h1>", kind="text/html")

    with pytest.raises(AnswerError, match="404") as raised:
        hosted.workflows()

    assert "/workflows" in raised.value.advice


def test_a_redirect_is_not_followed(peer, hosted):
    peer.answers(307, Location=f"https://user:pw@login.example/start?token={KEY}")

    with pytest.raises(AnswerError, match=r"redirect \(307\) to https://login.example/start") as raised:
        first_turn(hosted)

    assert "pw" not in str(raised.value)
    assert peer.count("POST") == 1


def test_a_failure_of_the_server_is_told_with_its_request_id(peer, hosted):
    peer.answers(500, {"detail": "Internal server error"}, X_Request_Id="req-7")

    with pytest.raises(ServerError, match="req-7") as raised:
        first_turn(hosted)

    assert raised.value.request_id == "req-7"
    assert "may have been run" in str(raised.value)
    assert peer.count("POST") == 1


def test_a_limit_is_told_with_the_time_until_a_moment(peer, hosted):
    moment = datetime.now(UTC) + timedelta(seconds=600)
    peer.answers(429, {"detail": "Slow down"}, Retry_After=format_datetime(moment, usegmt=True))

    with pytest.raises(RateLimitError) as raised:
        first_turn(hosted)

    assert raised.value.retry_after == pytest.approx(600, abs=30)


@pytest.mark.parametrize(
    "header, wait",
    [
        ("12", 12),
        ("2.5", 2.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        ("nan", None),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
    ],
)
def test_a_limit_is_told_with_the_time_to_wait(peer, hosted, header, wait):
    peer.answers(429, {"detail": "Slow down"}, Retry_After=header)

    with pytest.raises(RateLimitError, match="Slow down") as raised:
        first_turn(hosted)

    assert raised.value.retry_after == (None if wait is None else pytest.approx(wait, abs=30))
    assert peer.count("POST") == 1


@pytest.mark.parametrize(
    "raw, reason",
    [
        (b'{"run_id": ', "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1, 2]", "not an object"),
        (b'{"run_id": "x"}', "turn_number"),
        (json.dumps({**ANSWER, "status": "fine"}).encode(), "status"),
        (json.dumps({**ANSWER, "events": [{"content": "no type"}]}).encode(), "type"),
    ],
)
def test_an_answer_that_is_not_the_protocol_is_told_by_its_fault(peer, hosted, raw, reason):
    peer.answers(raw=raw)

    with pytest.raises(AnswerError, match=reason):
        first_turn(hosted)

    assert peer.count("POST") == 1


@pytest.mark.parametrize(
    "body, reason",
    [({}, "no list 'workflows'"), ({"workflows": [1]}, "not an object"), ({"workflows": [{}]}, "id")],
)
def test_a_list_that_is_not_the_protocol_is_told_by_its_fault(peer, hosted, body, reason):
    peer.answers(body=body)

    with pytest.raises(AnswerError, match=reason):
        hosted.workflows()


def test_a_slow_answer_says_that_the_turn_may_have_been_run(peer):
    peer.answers(body=ANSWER, hold=True)
    backend = HostedBackend(HostedSettings(base_url=peer.url, timeout=0.1))

    with pytest.raises(RequestTimeoutError, match=r"within 0.1 s.* may have been run"):
        first_turn(backend)

    assert peer.count("POST") == 1
    backend.close()


def test_a_connection_that_breaks_says_that_the_turn_may_have_been_run(peer, hosted):
    peer.answers(None, raw=b"")

    with pytest.raises(ConnectionFailedError, match="may have been run"):
        first_turn(hosted)

    assert peer.count("POST") == 1


def test_what_is_not_http_is_told(peer, hosted):
    peer.answers(None, raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    with pytest.raises(ConnectionFailedError, match="POST http://127"):
        first_turn(hosted)


def test_a_port_where_nobody_listens_is_told():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    backend = HostedBackend(HostedSettings(base_url=f"http://127.0.0.1:{port}/workflows"))

    with pytest.raises(ConnectionFailedError, match=f"Nothing answers at http://127.0.0.1:{port}") as raised:
        first_turn(backend)

    assert "may have been" not in str(raised.value)
    backend.close()


def test_a_host_without_an_address_is_told():
    backend = HostedBackend(
        HostedSettings(base_url="http://nowhere.localhost.invalid/workflows", api_key=KEY)
    )

    with pytest.raises(ConnectionFailedError):
        backend.workflows()

    backend.close()


@pytest.mark.parametrize(
    "status, body, kind, words",
    [
        (400, {"message": "Bad fork", "error": "one edge only"}, WorkflowError, "one edge only"),
        (401, {"detail": "Key expired"}, AuthenticationError, "Key expired"),
        (403, {"detail": "Not yours"}, ForbiddenError, "Not yours"),
        (404, {"detail": "Workflow not found"}, NotFoundError, f"workflow '{WORKFLOW}'"),
        (409, {"detail": "Busy"}, ConflictError, "Busy"),
        (
            422,
            {"detail": [{"loc": ["body", "run_input", "command"], "msg": "bad", "type": "x"}]},
            InputError,
            "run_input.command: bad",
        ),
        (418, {"detail": "Teapot"}, ApiError, "418 Teapot"),
        (500, {"detail": "No start node found"}, NotStartableError, "No start node found"),
        (501, {"detail": "Not here"}, UnsupportedError, "Not here"),
        (503, {"detail": "Service unavailable"}, ServerError, "Service unavailable"),
        (502, [], ServerError, "502 Bad Gateway"),
    ],
)
def test_a_refusal_is_told_by_its_kind_and_in_its_own_words(peer, hosted, status, body, kind, words):
    peer.answers(status, body)

    with pytest.raises(kind) as raised:
        first_turn(hosted)

    assert type(raised.value) is kind
    assert words in raised.value.message
    assert raised.value.advice or status == 501
    assert peer.count("POST") == 1


def test_a_refused_rule_keeps_its_category(peer, hosted):
    peer.answers(400, {"message": "Bad fork", "error": "one edge only"})

    with pytest.raises(WorkflowError) as raised:
        first_turn(hosted)

    assert (raised.value.category, raised.value.message) == ("Bad fork", "one edge only")


def test_a_run_that_is_over_is_told_by_its_id(peer, hosted):
    peer.answers(404, {"detail": "Session not found"})

    with pytest.raises(RunEndedError, match=RUN):
        later_turn(hosted)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_question_is_asked_again_when_the_api_is_busy(peer, hosted, status):
    peer.answers(status, Retry_After="0")
    peer.answers(body={"workflows": []})

    assert hosted.workflows() == []

    assert peer.count("GET") == 2


def test_a_question_is_given_up_after_three_times(peer, hosted):
    for _ in range(3):
        peer.answers(503, {"detail": "Service unavailable"})

    with pytest.raises(ServerError):
        hosted.workflows()

    assert peer.count("GET") == 3


def test_a_question_is_not_asked_again_when_the_wait_is_long(peer, hosted):
    peer.answers(429, Retry_After="3600")

    with pytest.raises(RateLimitError) as raised:
        hosted.workflows()

    assert raised.value.retry_after == 3600
    assert peer.count("GET") == 1


def test_a_question_is_not_asked_again_when_the_server_failed(peer, hosted):
    peer.answers(500)

    with pytest.raises(ServerError):
        hosted.workflows()

    assert peer.count("GET") == 1


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 422, 429, 500])
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_no_error_tells_the_key(peer, hosted, status, kind):
    text = json.dumps({"detail": f"Bad header Bearer {KEY}", "message": KEY, "error": KEY, "status": KEY})
    peer.answers(status, raw=text.encode(), kind=kind, Location=f"/{KEY}", X_Request_Id=KEY)

    with pytest.raises(DebuggerError) as raised:
        first_turn(hosted)

    error = raised.value
    told = "".join(traceback.format_exception(error))
    assert KEY not in told + repr(error) + error.advice + str(vars(error)) + repr(hosted)


@pytest.mark.parametrize(
    "base_url, words",
    [
        ("", "No base URL"),
        ("   ", "No base URL"),
        ("api.example/workflows", "does not begin with"),
        ("ftp://api.example", "does not begin with"),
        ("https://", "does not begin with"),
        ("http://api.example:port", "not a URL"),
        ("https://api.example/workflows/v1", "one step too far"),
        ("https://api.example/workflows/v1/workflows/", "one step too far"),
        (f"https://api.example/?key={KEY}", "has a user, a query or a fragment"),
        (f"https://me:{KEY}@api.example", "has a user, a query or a fragment"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_told_at_once(base_url, words):
    with pytest.raises(SettingsError, match=words) as raised:
        HostedBackend(HostedSettings(base_url=base_url))

    assert KEY not in str(raised.value)


def test_a_key_that_no_header_can_carry_is_told_at_once():
    with pytest.raises(SettingsError, match="INTERACTLY_API_KEY") as raised:
        HostedBackend(HostedSettings(base_url="https://api.example", api_key="sk-ключ"))

    assert "ключ" not in str(raised.value)


# Stopping a turn


def test_a_cancelled_turn_is_left_at_once_and_the_run_is_stopped(peer, hosted):
    peer.answers(body=ANSWER, hold=True)
    peer.answers(body={**ANSWER, "status": "cancelled", "is_completed": True, "is_waiting_for_input": False})
    cancelled = threading.Event()
    stream = hosted.execute(WORKFLOW, TurnInput.saying("More"), run_id=RUN, cancelled=cancelled)
    began = time.monotonic()
    threading.Timer(0.05, cancelled.set).start()

    result = stream.finish()

    assert time.monotonic() - began < 1
    assert (result.status, result.is_completed, result.run_id) == ("cancelled", True, RUN)
    stop = peer.asked[1]["body"]
    assert (stop["run_id"], stop["run_input"]["command"]) == (RUN, "stop")


def test_a_cancelled_first_turn_says_that_its_run_is_not_known(peer, hosted):
    peer.answers(body=ANSWER, hold=True)
    cancelled = threading.Event()
    stream = hosted.execute(WORKFLOW, TurnInput.saying("Hello"), cancelled=cancelled)
    threading.Timer(0.05, cancelled.set).start()

    result = stream.finish()

    assert (result.status, result.run_id, result.events) == ("cancelled", "", [])
    assert "may go on at the API" in result.error
    assert peer.count("POST") == 1


def test_a_turn_that_was_cancelled_before_is_not_sent(peer, hosted):
    cancelled = threading.Event()
    cancelled.set()

    result = hosted.execute(WORKFLOW, TurnInput.saying("Hello"), cancelled=cancelled).finish()

    assert result.status == "cancelled"
    assert peer.asked == []


def test_a_stop_that_the_api_refuses_is_told_in_the_result(peer, hosted):
    peer.answers(body=ANSWER, hold=True)
    peer.answers(409, {"detail": "A turn is under way"})
    cancelled = threading.Event()
    stream = hosted.execute(WORKFLOW, TurnInput.saying("More"), run_id=RUN, cancelled=cancelled)
    threading.Timer(0.05, cancelled.set).start()

    result = stream.finish()

    assert result.status == "cancelled"
    assert "A turn is under way" in result.error


def test_stop_is_a_command_to_a_known_run(peer, hosted):
    peer.answers(body={**ANSWER, "status": "cancelled", "is_completed": True})

    result = hosted.execute(WORKFLOW, TurnInput(command="stop"), run_id=RUN).finish()

    assert result.status == "cancelled"
    with pytest.raises(InputError, match="no run to stop"):
        hosted.execute(WORKFLOW, TurnInput(command="stop"))


# Background work


def test_background_work_is_asked_for_by_a_post_of_nothing(peer, hosted):
    peer.answers(body={**ANSWER, "has_background_work": True, "has_active_companions": True})

    stream = hosted.pump(WORKFLOW, RUN)
    sent_before = list(peer.asked)
    events = list(stream)

    assert sent_before == []
    assert [(asked["method"], asked["body"]) for asked in peer.asked] == [("POST", {})]
    assert peer.asked[0]["path"] == f"/workflows/v1/workflows/{WORKFLOW}/runs/{RUN}/pump-companions"
    assert [event.content for event in events] == ["Hi Ada"]
    assert (stream.result.has_background_work, stream.result.has_active_companions) == (True, True)
    assert stream.result.next_due is None


@pytest.mark.parametrize(("workflow_id", "run_id"), [("nope", RUN), (WORKFLOW, "../x")])
def test_background_work_of_a_malformed_id_is_not_asked_for(peer, hosted, workflow_id, run_id):
    with pytest.raises(InputError):
        hosted.pump(workflow_id, run_id)

    assert peer.asked == []


def test_background_work_that_is_refused_is_told_by_its_run_and_not_asked_for_again(peer, hosted):
    peer.answers(503, {"detail": "Service unavailable"})

    with pytest.raises(ServerError, match=RUN):
        hosted.pump(WORKFLOW, RUN).finish()

    assert peer.count("POST") == 1


def test_background_work_of_a_run_that_is_over_is_told_apart(peer, hosted):
    peer.answers(404, {"detail": "Session not found"})

    with pytest.raises(RunEndedError, match=RUN):
        hosted.pump(WORKFLOW, RUN).finish()


def test_cancelled_background_work_is_left_at_once_and_the_run_is_stopped(peer, hosted):
    peer.answers(body=ANSWER, hold=True)
    peer.answers(body={**ANSWER, "status": "cancelled", "is_completed": True, "is_waiting_for_input": False})
    cancelled = threading.Event()
    stream = hosted.pump(WORKFLOW, RUN, cancelled=cancelled)
    threading.Timer(0.05, cancelled.set).start()

    result = stream.finish()

    assert (result.status, result.is_completed) == ("cancelled", True)
    assert peer.asked[1]["body"]["run_input"]["command"] == "stop"


# Versions and workflows


def test_a_new_version_knows_whether_it_is_active(peer, hosted):
    peer.answers(201, {"version": {"version_number": 4, "version_name": "Four"}, "parent_active_version": 4})

    version = hosted.create_version(WORKFLOW, version_name="Four", mark_as_active=True)

    assert (version.version_number, version.is_active) == (4, True)
    assert peer.asked[0]["body"] == {"mark_as_active": True, "version_name": "Four"}


def test_activation_has_no_body_and_deletion_reads_none(peer, hosted):
    peer.answers(body={"workflow": {"_id": WORKFLOW}})
    peer.answers(204, raw=b"")

    hosted.activate_version(WORKFLOW, 2)
    hosted.delete_workflow(WORKFLOW)

    assert peer.asked[0]["path"].endswith(f"/v1/workflows/{WORKFLOW}/versions/2/activate")
    assert [asked["body"] for asked in peer.asked] == [None, None]
    assert [asked["method"] for asked in peer.asked] == ["POST", "DELETE"]


@pytest.mark.parametrize("proxy", ["foo://user:hush@proxy", "http://user:hush@proxy:port"])
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(SettingsError, match="proxy") as caught:
        HostedBackend(HostedSettings(base_url="https://api.example/workflows", api_key="key"))

    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_certificates_that_are_not_there_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))

    with pytest.raises(SettingsError, match="certificates") as caught:
        HostedBackend(HostedSettings(base_url="https://api.example/workflows", api_key="key"))

    assert "SSL_CERT_FILE" in caught.value.advice
