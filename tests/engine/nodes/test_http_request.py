from __future__ import annotations

import base64
import json
import re
import shlex
import socket
import subprocess
import threading
from urllib.parse import parse_qs

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks import RecordedAnswers
from debugger.engine.models import HeuristicModel
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.http_request import HttpRequestNode
from debugger.engine.outbound import RecordedAnswer, Secrets
from debugger.engine.outbound.gateway import LiveGateway, Policies
from debugger.errors import InputError
from debugger.protocol.runs import NodeInput, ThreadInput, TurnInput
from debugger.protocol.workflow import NodeConfig
from tests.support.factories import direct, node, static, when, workflow
from tests.support.http_server import HttpServer

OPEN = Policies(write="live")


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(NODE_TYPES, "http_request", HttpRequestNode)


class Made:
    """One turn of a workflow that begins with an HTTP node."""

    def __init__(
        self, *parts, gateway=None, recorded=(), cancelled=None, dynamic=None, inputs=None, **variables
    ):
        self.gateway = gateway or LiveGateway(OPEN)
        interpreter = Interpreter(
            workflow(*parts),
            HeuristicModel(),
            open_gateway=lambda: self.gateway,
            recorded=RecordedAnswers(recorded),
        )
        given = TurnInput.with_message(None, runtime_variables=variables, dynamic_variables=dynamic or {})
        given.thread_to_node_inputs.update(inputs or {})
        state = interpreter.begin(given)
        turn = interpreter.turn(state, given, cancelled=cancelled)
        self.events = [event.to_wire() for event in turn]

    def one(self, event_type):
        (found,) = [event for event in self.events if event["type"] == event_type]
        return found

    @property
    def output(self):
        return next(event["run_output"] for event in self.events if event["type"] == "end_node_run")

    @property
    def variables(self):
        return next(e["runtime_variables"] for e in self.events if e["type"] == "workflow_show_state")

    @property
    def error(self):
        return self.one("http_request")["error"]

    @property
    def warnings(self):
        return [e["warning_message"] for e in self.events if e["type"] == "workflow_warning"]


def http(url, method="GET", **fields):
    return node("ask", "http_request", url=url, method=method, **fields)


def test_event_output_and_variables_report_the_call():
    with HttpServer(slots=lambda to: to.send_json({"free": [9, 10]})) as server:
        made = Made(http(f"{server.url}/slots"))

    assert {
        key: made.one("http_request")[key] for key in ("curl_command", "status_code", "response_body")
    } == {
        "curl_command": f"curl -X GET {server.url}/slots",
        "status_code": 200,
        "response_body": {"free": [9, 10]},
    }
    assert made.error is None
    assert made.output == {
        "events": [],
        "type": "http_request",
        "node_logical_id": "ask",
        "node_run_id": "1",
        "curl_command": f"curl -X GET {server.url}/slots",
        "success": True,
        "http_status_code": 200,
        "http_response": {"free": [9, 10]},
    }
    assert made.variables["http_request_result"] == {"free": [9, 10]}
    assert made.variables["http_request_result_success"] is True
    assert made.variables["http_request_result_error"] is None
    assert made.variables["ask.http_request_result"] == {"free": [9, 10]}


def test_its_event_stands_between_start_and_end():
    with HttpServer() as server:
        made = Made(http(server.url + "/"))

    types = [event["type"] for event in made.events]
    place = types.index("http_request")
    assert types[place - 1 : place + 3] == [
        "start_node_run",
        "http_request",
        "end_node_run",
        "workflow_show_state",
    ]


def test_a_run_can_branch_on_success():
    with HttpServer(no=lambda to: to.send_json({}, 404)) as server:
        made = Made(
            http(server.url + "/no", result_runtime_variable_name="got"),
            static("good", "Found"),
            static("bad", "Not found"),
            when("ask", "good", "[[got_success]] == true"),
            when("ask", "bad", "[[got_success]] == false"),
        )

    assert made.one("assistant_response")["content"] == "Not found"
    assert made.variables["got_error"] == "The server answered 404 Not Found."


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_method_decides_if_body_is_sent(method):
    with HttpServer() as server:
        made = Made(http(server.url + "/", method, body_parameters='{"a": 1}'))

        received = server.received[0]

    assert (received.method, made.output["success"]) == (method, True)
    assert received.body == (b'{"a":1}' if method in ("POST", "PUT", "PATCH") else b"")
    assert made.gateway.ledger[0]["call_class"] == (
        "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
    )


BODY = '{"name": "[[who]]", "tags": ["a", "b&c"], "deep": {"n": 1}, "yes": true, "none": null}'


def test_json_body_is_sent_with_variables():
    with HttpServer() as server:
        Made(http(server.url + "/", "POST", body_parameters=BODY), who="Ann")

        received = server.received[0]

    assert received.headers["content-type"] == "application/json"
    assert json.loads(received.body) == {
        "name": "Ann",
        "tags": ["a", "b&c"],
        "deep": {"n": 1},
        "yes": True,
        "none": None,
    }


def test_form_repeats_lists_and_encodes_nested_values():
    form = "application/x-www-form-urlencoded"
    with HttpServer() as server:
        Made(http(server.url + "/", "POST", body_parameters=BODY, body_content_type=form), who="Ann")

        received = server.received[0]

    assert received.headers["content-type"] == form
    assert parse_qs(received.body.decode(), keep_blank_values=True) == {
        "name": ["Ann"],
        "tags": ["a", "b&c"],
        "deep": ['{"n":1}'],
        "yes": ["true"],
        "none": [""],
    }


def test_multipart_form_sets_its_own_boundary():
    with HttpServer() as server:
        made = Made(
            http(
                server.url + "/",
                "POST",
                headers={"Content-Type": "multipart/form-data"},
                body_parameters='{"name": "Ann", "note": "@/etc/passwd"}',
                body_content_type="multipart/form-data",
            )
        )

        received = server.received[0]

    boundary = received.headers["content-type"].partition("boundary=")[2].encode()
    assert received.body.count(b"--" + boundary) == 3
    assert b'Content-Disposition: form-data; name="name"\r\n\r\nAnn\r\n' in received.body
    assert b'name="note"\r\n\r\n@/etc/passwd\r\n' in received.body
    assert "--form-string note=@/etc/passwd" in made.output["curl_command"]


def test_plain_text_is_sent_unchanged():
    with HttpServer() as server:
        Made(
            http(server.url + "/", "PUT", body_parameters="Hi [[who]]: {", body_content_type="text/plain"),
            who="Änn",
        )

        received = server.received[0]

    assert (received.headers["content-type"], received.body) == ("text/plain", "Hi Änn: {".encode())


def test_query_is_encoded_and_appended():
    query = '{"q": "a&b [[who]]", "tag": [1, "x"]}'
    with HttpServer() as server:
        Made(http(server.url + "/find?a=1#part", query_parameters=query), who="Ann")
        Made(http(server.url + "/find", query_parameters={"q": "[[who]]"}), who="Bo")

        paths = [received.path for received in server.received]

    assert paths == ["/find?a=1&q=a%26b%20Ann&tag=1&tag=x", "/find?q=Bo"]


def test_url_and_headers_are_filled():
    with HttpServer() as server:
        Made(
            http("{{base}}/[[path]]", headers={"X-Who": "[[who]] ü", "X-Count": 3, "X-None": None}),
            dynamic={"base": server.url},
            path="p",
            who="Ann",
        )

        received = server.received[0]

    assert received.path == "/p"
    assert received.headers["x-who"].encode("latin-1").decode() == "Ann ü"
    assert received.headers["x-count"] == "3"
    assert "x-none" not in received.headers


def test_turn_input_overrides_url_without_secrets():
    gateway = LiveGateway(secrets=Secrets({"KEY": "s3cret"}))
    with HttpServer() as server:
        given = NodeInput(node_logical_id="ask", type="http_request", override_url=server.url + "/b?{{KEY}}")
        inputs = {"0": ThreadInput(node_run_inputs=[given])}
        made = Made(http("http://127.0.0.1:1/a", query_parameters='{"q": 1}'), gateway=gateway, inputs=inputs)

        paths = [received.path for received in server.received]

    assert paths == ["/b?{{KEY}}&q=1"]
    assert made.output["success"] is True


def test_unresolved_placeholders_stay_and_dynamic_ones_warn():
    with HttpServer() as server:
        made = Made(http(server.url + "/?a=[[nobody]]", headers={"X-A": "{{missing}}"}))

        received = server.received[0]

    assert received.headers["x-a"] == "{{missing}}"
    assert any("{{missing}}" in warning for warning in made.warnings)


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_values_between_quotes_are_escaped(content_type):
    note = 'She said "no",\n\\ twice", "admin": true'
    written = (
        '{"note": "\\"{{note}}\\"", "[[note]]": [[list]], "none": [[none]], "n": [[n]], "of": "[[list]]"}'
    )

    with HttpServer(notes=lambda to: to.send_json({})) as server:
        ask = http(f"{server.url}/notes", "POST", body_parameters=written, body_content_type=content_type)
        made = Made(ask, dynamic={"note": note}, note="k'\"", list=['a"b', None], none=None, n=3)
        sent = server.received[0].body.decode()

    wanted = {"note": f'"{note}"', "k'\"": ['a"b', None], "none": None, "n": 3, "of": "['a\"b', None]"}
    assert made.error is None
    if content_type == "application/json":
        assert json.loads(sent) == wanted
    else:
        assert parse_qs(sent)["note"] == [wanted["note"]]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url": None}, "The url is empty. Write the address to call."),
        ({"url": "slots"}, "The URL 'slots' cannot be called. Write an absolute one"),
        ({"url": "ftp://a.example"}, "The URL 'ftp://a.example' cannot be called."),
        (
            {"query_parameters": '{"a": [[who]]}'},
            "query_parameters is not JSON once its placeholders are filled in: Expecting value at line 1, "
            "column 7. Put quotes around a placeholder that stands for a text.",
        ),
        ({"query_parameters": "[1]"}, "query_parameters must be a JSON object."),
        ({"method": "POST", "body_parameters": "{"}, "body_parameters is not JSON once"),
        (
            {"method": "POST", "body_parameters": "[1]", "body_content_type": "multipart/form-data"},
            "body_parameters must be a JSON object to be sent as multipart/form-data.",
        ),
        ({"headers": {"X A": "1"}}, "'X A' cannot be the name of a header."),
        ({"headers": {"X-A": "[[lines]]"}}, "The value of the header 'X-A' has a line break"),
        ({"method": "POST", "body_parameters": "[" * 100_000}, "nested too deep"),
    ],
)
def test_invalid_request_fails_without_a_call(fields, reason):
    made = Made(http(**{"url": "http://127.0.0.1:1/", **fields}), who="Ann", lines="a\r\nb")

    assert reason in made.error
    assert made.output["success"] is False
    assert made.variables["http_request_result"] is None
    assert made.variables["http_request_result_success"] is False
    assert made.variables["http_request_result_error"] == made.error
    assert made.gateway.ledger == []
    assert made.events[-1]["type"] == "end_workflow"


@pytest.mark.parametrize(
    ("response_format", "body", "variable", "shown"),
    [
        ("json", b'{"a": 1}', {"a": 1}, {"a": 1}),
        ("json", b"[1, 2]", [1, 2], {"data": [1, 2]}),
        ("json", b'"tea"', "tea", {"data": "tea"}),
        ("json", b"12345678901234567890123", 12345678901234567890123, {"data": 12345678901234567890123}),
        ("json", b'{"a": 1e999, "b": [NaN]}', {"a": None, "b": [None]}, {"a": None, "b": [None]}),
        ("json", b"", None, None),
        ("text", b'{"a": 1}', '{"a": 1}', {"data": '{"a": 1}'}),
        ("text", "Grüße".encode(), "Grüße", {"data": "Grüße"}),
        ("binary", b"\x00\xff", "AP8=", {"data": "AP8="}),
    ],
)
def test_response_format_decides_the_value(response_format, body, variable, shown):
    with HttpServer(it=lambda to: to.send_body(body, "application/octet-stream")) as server:
        made = Made(http(server.url + "/it", response_format=response_format))

    assert made.variables["http_request_result"] == variable
    assert made.output["http_response"] == made.one("http_request")["response_body"] == shown
    assert made.output["success"] is True


def test_text_uses_the_declared_charset():
    with HttpServer(
        it=lambda to: to.send_body("Grüße".encode("latin-1"), "text/plain; charset=latin-1")
    ) as server:
        made = Made(http(server.url + "/it", response_format="text"))

    assert made.variables["http_request_result"] == "Grüße"


def test_invalid_json_answer_fails_with_its_text():
    with HttpServer(it=lambda to: to.send_body(b"<html>", "text/html")) as server:
        made = Made(http(server.url + "/it"))

    assert made.error.startswith("The answer cannot be read as JSON (its type is text/html): ")
    assert "Set response_format to text" in made.error
    assert (made.output["success"], made.output["http_status_code"]) == (False, 200)
    assert made.variables["http_request_result"] == "<html>"


def test_status_500_fails_with_its_body():
    with HttpServer(it=lambda to: to.send_json({"why": "bug"}, 500)) as server:
        made = Made(http(server.url + "/it"))

    assert made.error == "The server answered 500 Internal Server Error."
    assert made.output["http_status_code"] == 500
    assert made.one("http_request")["response_body"] == {"why": "bug"}
    assert made.gateway.ledger[0]["success"] is False
    assert made.gateway.ledger[0]["status_code"] == 500


def test_endless_answer_ends_at_the_timeout():
    def endless(to):
        to.send_response(200)
        to.end_headers()
        to.trickle(b"x")

    with HttpServer(endless=endless) as server:
        made = Made(http(server.url + "/endless", timeout=1))

    assert made.error == "The answer was not complete within 1 s."
    assert made.variables["http_request_result_success"] is False
    assert made.events[-1]["type"] == "end_workflow"


def test_bounded_loop_limits_the_call():
    def endless(to):
        to.send_response(200)
        to.end_headers()
        to.trickle(b"x")

    tried = {"enabled": True, "expiry_time": 1, "max_retries": 1, "time_between_retries": 0}
    with HttpServer(endless=endless) as server:
        made = Made(
            http(server.url + "/endless", self_loop_config=tried), static("b", "Bye"), direct("ask", "b")
        )

    assert re.fullmatch(r"The answer was not complete within (0\.9\d*|1) s\.", made.error)


def test_request_counts_as_tool_call():
    with HttpServer() as server:
        made = Made(http(server.url + "/"))

    assert made.one("end_workflow_iteration")["iteration_metrics"]["tool_call_count"] == 1


def test_a_refused_connection_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"

    made = Made(http(url))

    assert "No server answers at 127.0.0.1" in made.error
    assert made.output["http_status_code"] is None


def test_a_stop_ends_the_call():
    cancelled = threading.Event()

    def endless(to):
        to.send_response(200)
        to.end_headers()
        cancelled.set()
        to.trickle(b"x")

    with HttpServer(endless=endless) as server:
        made = Made(http(server.url + "/endless"), cancelled=cancelled)

    assert made.gateway.ledger[0]["error"] == "The call was stopped."


def test_write_is_blocked_by_default():
    made = Made(
        http("https://api.example/slots", "POST"),
        static("next", "On"),
        direct("ask", "next"),
        gateway=LiveGateway(),
    )

    assert "POST https://api.example/slots was not called" in made.error
    assert "WORKFLOW_DEBUGGER_OUTBOUND_WRITE=live" in made.error
    assert made.one("http_request")["curl_command"] == "curl -X POST https://api.example/slots"
    assert made.one("assistant_response")["content"] == "On"


def test_a_simulated_answer_says_that_it_is():
    made = Made(http("https://api.example/slots", "POST"), gateway=LiveGateway(Policies(write="simulated")))

    assert made.one("http_request")["response_body"] == {"simulated": True}
    assert made.output["success"] is True
    assert made.gateway.ledger[0]["how"] == "simulated"
    assert made.warnings == ["POST https://api.example/slots was simulated; nothing was sent."]


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ({"status": 201, "body": {"id": 7}}, (201, {"id": 7}, None)),
        ({"status": 409, "body": "[1]"}, (409, {"data": [1]}, "The server answered 409 Conflict.")),
        ({"status": 204}, (204, None, None)),
        ({"error": "It is down."}, (None, None, "It is down.")),
    ],
)
def test_recorded_answer_is_read_like_real_one(recorded, expected):
    answer = RecordedAnswer(re.compile("POST .*/slots"), **recorded)
    made = Made(
        http("https://api.example/slots", "POST"),
        gateway=LiveGateway(Policies(write="simulated")),
        recorded=[answer],
    )

    event = made.one("http_request")
    assert (event["status_code"], event["response_body"], event["error"]) == expected


SECRET = 's3cret/+value"'


def planted(server):
    """A request with a secret wherever one can be."""
    mark = "{{API_KEY}}"
    return http(
        f"{server.url}/echo/{{{{API_KEY | url_encode}}}}?k={{{{API_KEY | url_encode}}}}",
        "POST",
        headers={"Authorization": f"Bearer {mark}", "X-Plain": mark, "X-Api-Key": "written-key"},
        query_parameters={"q": mark, "access_token": "written-token"},
        body_parameters={"secret": mark, "list": [f"a {mark}"], "password": "written-password"},
    )


def tell_all(status):
    def respond(to):
        last = to.server.received[-1]
        to.send_json({"path": last.path, "headers": last.headers, "body": json.loads(last.body)}, status)

    return respond


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("response_format", ["json", "text", "binary"])
@pytest.mark.parametrize("policy", ["live", "simulated", "blocked"])
def test_secret_reaches_the_server_only(status, response_format, policy):
    with HttpServer() as server:
        server.routes["/echo/s3cret%2F%2Bvalue%22"] = tell_all(status)
        gateway = LiveGateway(Policies(write=policy), secrets=Secrets({"API_KEY": SECRET}))
        made = Made({**planted(server), "response_format": response_format}, gateway=gateway)

        received = server.received

    if policy == "live":
        assert received[0].headers["authorization"] == f"Bearer {SECRET}"
        assert json.loads(received[0].body)["secret"] == SECRET
    looked_at = json.dumps([made.events, gateway.ledger]) + repr([made.events, gateway.ledger])
    if policy == "live" and response_format == "binary":
        looked_at += base64.b64decode(made.variables["http_request_result"]).decode()
    assert "s3cret" not in looked_at
    assert "Bearer ***" in made.output["curl_command"]
    shown = made.output["curl_command"] + json.dumps(gateway.ledger)
    assert "written-" not in shown


def test_secret_in_an_error_is_masked():
    with HttpServer(
        away=lambda to: to.redirect(f"gopher://{to.headers['X-Key']}/"),
        torn=lambda to: to.send_body(b"no json", f"text/{to.headers['X-Key']}"),
    ) as server:
        doors = [LiveGateway(secrets=Secrets({"KEY": "s3cret"})) for _ in range(2)]
        away = Made(http(server.url + "/away", headers={"X-Key": "{{KEY}}"}), gateway=doors[0])
        torn = Made(http(server.url + "/torn", headers={"X-Key": "{{KEY}}"}), gateway=doors[1])

    assert "gopher://***/" in away.error
    assert "text/***" in torn.error
    assert "s3cret" not in json.dumps([away.events, torn.events, doors[0].ledger, doors[1].ledger])


def test_secret_that_breaks_json_is_not_shown():
    gateway = LiveGateway(OPEN, secrets=Secrets({"KEY": 's3cret"'}))
    made = Made(http("http://127.0.0.1:1/", "POST", body_parameters='{"a": {{KEY}}}'), gateway=gateway)

    assert "body_parameters is not JSON" in made.error
    assert "s3cret" not in json.dumps(made.events)


def test_numeric_secret_is_sent_and_body_hidden():
    gateway = LiveGateway(OPEN, secrets=Secrets({"PIN": "4711"}))
    with HttpServer() as server:
        made = Made(http(server.url + "/", "POST", body_parameters='{"pin": {{PIN}}}'), gateway=gateway)

        assert server.received[0].body == b'{"pin":4711}'
    assert "4711" not in json.dumps([made.output["curl_command"], gateway.ledger[0]["request"]])


def test_url_user_is_sent_and_masked():
    with HttpServer() as server:
        made = Made(http(server.url.replace("//", "//ann:pa55@") + "/"))

        assert server.received[0].headers["authorization"].startswith("Basic ")
    assert "pa55" not in json.dumps([made.output["curl_command"], made.gateway.ledger])
    assert "//***@127.0.0.1" in made.output["curl_command"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain"]
)
def test_the_curl_command_sends_the_same_request(content_type):
    body = '{"name": "it\'s $HOME `x` \\"q\\"", "b": "&="}'
    with HttpServer() as server:
        made = Made(
            http(
                server.url + "/a",
                "POST",
                headers={"X-Note": 'it\'s "it"'},
                query_parameters='{"q": "a b"}',
                body_parameters=body,
                body_content_type=content_type,
            )
        )
        subprocess.run([*shlex.split(made.output["curl_command"]), "-s"], check=True, capture_output=True)

        ours, theirs = server.received

    assert (theirs.method, theirs.path) == (ours.method, ours.path)
    assert parse_qs(theirs.body.decode()) == parse_qs(ours.body.decode())
    for name in ("content-type", "x-note"):
        assert theirs.headers[name] == ours.headers[name]


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "FETCH"},
        {"timeout": 301},
        {"timeout": -1},
        {"body_content_type": "application/xml"},
        {"response_format": "xml"},
        {"headers": "X-A: 1"},
    ],
)
def test_invalid_field_is_named(fields):
    config = NodeConfig.from_wire(http(**{"url": "http://127.0.0.1:1/", **fields}))

    with pytest.raises(InputError, match=f"HttpRequestConfig: {next(iter(fields))}"):
        HttpRequestNode(config)


def test_null_fields_mean_their_defaults():
    nothing = dict.fromkeys(("method", "headers", "timeout", "response_format", "body_content_type"))
    with HttpServer() as server:
        made = Made(node("ask", "http_request", url=server.url + "/", **nothing))

    assert made.output["success"] is True
    assert made.variables["http_request_result"]["method"] == "GET"
