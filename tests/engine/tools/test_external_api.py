from __future__ import annotations

import json
import threading
from http import HTTPStatus

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.engine.outbound import Secrets
from debugger.engine.outbound.gateway import LiveGateway, Policies
from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.base import ToolContext
from debugger.engine.tools.external_api import (
    ExternalApiConfig,
    ExternalApiTool,
    fill_json,
    fill_known,
    fill_text,
    slot_names,
)
from debugger.errors import InputError, RunError
from debugger.expressions import Scope
from debugger.expressions.template import RenderBudget
from debugger.protocol.runs import TurnInput
from tests.support.factories import node, workflow
from tests.support.http_server import HttpServer
from tests.support.recorded import answering

OPEN = Policies(write="live", contact="live")


def made(endpoint, method="GET", **fields):
    written = {"type": "external_api", "name": "Slots", "api_endpoint": endpoint, "api_method": method}
    return ExternalApiTool(ExternalApiConfig.from_wire({**written, **fields}))


def call(tool, gateway=None, *, runtime=None, dynamic=None, timeout=5, **arguments):
    scope = Scope(dynamic=dynamic or {}, runtime=runtime or {})
    context = ToolContext(scope, timeout, outbound=gateway or LiveGateway(OPEN), node_logical_id="node_a")
    return tool.call(arguments, context)


def test_a_get_gives_the_answers_body():
    with HttpServer(slots=lambda to: to.send_json([9, 10])) as server:
        result = call(made(server.url + "/slots?day={day}&who=[[who]]"), runtime={"who": "Ann"}, day="1 May")

        received = server.received[0]

    assert (result.success, result.result, result.error) == (True, [9, 10], None)
    assert (received.method, received.path) == ("GET", "/slots?day=1%20May&who=Ann")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_body_is_json_with_native_arguments(method):
    body = {"patient": "{patient}", "note": "for {name} by [[who]]", "n": 1}
    with HttpServer() as server:
        call(
            made(server.url + "/", method, api_body=body, api_headers={"X-Day": "{day}"}),
            runtime={"who": "Bo"},
            patient={"id": 7},
            name="Ann",
            day=3,
        )

        received = server.received[0]

    assert (received.method, received.headers["content-type"]) == (method, "application/json")
    assert json.loads(received.body) == {"patient": {"id": 7}, "note": "for Ann by Bo", "n": 1}
    assert received.headers["x-day"] == "3"


@pytest.mark.parametrize(("written", "sent"), [('{"a": "{x}"}', b'{"a":1}'), ("  ", b""), (None, b"")])
def test_body_may_be_json_text_or_blank(written, sent):
    with HttpServer() as server:
        call(made(server.url + "/", "POST", api_body=written), x=1)

        assert server.received[0].body == sent


@pytest.mark.parametrize("fields", [{"api_body": "{x}"}, {"api_body": "[1]"}, {"api_method": "PATCH"}])
def test_invalid_field_is_named(fields):
    with pytest.raises(InputError, match=f"ExternalApiConfig: {next(iter(fields))}"):
        made("https://a.example", **fields)


@pytest.mark.parametrize(
    ("method", "side_effect", "expected"),
    [
        ("GET", None, "read"),
        ("POST", None, "write"),
        ("DELETE", "unknown", "write"),
        ("POST", "none", "read"),
        ("POST", "reads", "read"),
        ("GET", "writes", "write"),
        ("GET", "sends", "contact"),
    ],
)
def test_call_class_is_tools_else_methods(method, side_effect, expected):
    gateway = answering(Policies(read="simulated", write="simulated", contact="simulated"))

    result = call(made("https://a.example/", method, side_effect=side_effect), gateway)

    assert gateway.ledger[0]["call_class"] == expected
    assert gateway.ledger[0]["node_logical_id"] == "node_a"
    assert result.result == {"simulated": True}


def test_a_blocked_call_is_a_failed_one():
    result = call(made("https://a.example/", "PUT"), LiveGateway())

    assert (result.success, result.result) == (False, None)
    assert "PUT https://a.example/ was not called" in result.error


@pytest.mark.parametrize(
    "endpoint", [None, "", "/slots", "a.example/?next=https://b", "{{base}}/x", "https://a/[[id]]"]
)
def test_relative_or_unfilled_endpoint_fails(endpoint):
    gateway = LiveGateway(OPEN)

    result = call(made(endpoint), gateway)

    assert not result.success
    assert result.error.startswith("unresolved_variables: ")
    assert gateway.ledger == []


def test_a_slot_without_its_argument_fails():
    result = call(made("https://a.example/{city}"))

    assert result.error == "The slot {city} has no argument. Give the tool an argument named 'city'."


def test_failure_status_quotes_the_body():
    with HttpServer(no=lambda to: to.send_body(b"x" * 900, "text/plain", 422)) as server:
        result = call(made(server.url + "/no"))

    assert not result.success
    assert result.error == f"The server answered 422 {HTTPStatus(422).phrase}: {'x' * 200}."


def test_invalid_json_body_is_text():
    with HttpServer(it=lambda to: to.send_body(b"<p>Hi", "text/html")) as server:
        result = call(made(server.url + "/it"))

    assert (result.success, result.result) == (True, "<p>Hi")


def test_number_that_is_not_finite_is_null():
    with HttpServer(it=lambda to: to.send_body(b'{"n": 1e999}', "application/json")) as server:
        result = call(made(server.url + "/it"))

    assert (result.success, result.result) == (True, {"n": None})


def test_endless_answer_fails_in_time():
    def endless(to):
        to.send_response(200)
        to.end_headers()
        to.trickle(b"x")

    with HttpServer(endless=endless) as server:
        result = call(made(server.url + "/endless"), timeout=0.3)

    assert result.error == "The answer was not complete within 0.3 s."


AUTH = {"integration_auth": {"integration_id": "CLINIC"}}


def test_integration_secret_is_the_authorization():
    with HttpServer() as server:
        secrets = Secrets({"CLINIC": "Bearer s3cret"})
        call(made(server.url + "/", **AUTH), LiveGateway(secrets=secrets))
        call(
            made(server.url + "/", api_headers={"authorization": "own"}, **AUTH), LiveGateway(secrets=secrets)
        )

        sent = [received.headers["authorization"] for received in server.received]

    assert sent == ["Bearer s3cret", "own"]


def test_null_header_leaves_integration_secret():
    with HttpServer() as server:
        secrets = Secrets({"CLINIC": "Bearer s3cret"})
        tool = made(server.url + "/", api_headers={"Authorization": None}, **AUTH)
        call(tool, LiveGateway(secrets=secrets))

        sent = server.received[0].headers["authorization"]

    assert sent == "Bearer s3cret"


def test_missing_secret_is_named_in_refusal():
    with HttpServer(no=lambda to: to.send_body(b"", "text/plain", 401)) as server:
        result = call(made(server.url + "/no", **AUTH))

    assert result.error == (
        "The server answered 401 Unauthorized. No secret is named 'CLINIC' after its integration: set "
        "WORKFLOW_DEBUGGER_SECRET_CLINIC to the value of the header Authorization."
    )


@pytest.mark.parametrize("status", [200, 500])
def test_secret_reaches_the_server_only(status):
    def tell_all(to):
        last = to.server.received[-1]
        to.send_json({"path": last.path, "headers": last.headers, "body": last.body.decode()}, status)

    gateway = LiveGateway(OPEN, secrets=Secrets({"KEY": "s3cret", "CLINIC": "Bearer t0ken"}))
    tool_fields = {"api_headers": {"X-Key": "{{KEY}}"}, "api_body": {"k": ["{{KEY}}", "{x}"]}, **AUTH}
    with HttpServer(all=tell_all) as server:
        result = call(made(server.url + "/all?key={{KEY}}", "POST", **tool_fields), gateway, x="{{KEY}}")

        received = server.received[0]

    assert received.path == "/all?key=s3cret"
    assert (received.headers["x-key"], received.headers["authorization"]) == ("s3cret", "Bearer t0ken")
    assert json.loads(received.body) == {"k": ["s3cret", "{{KEY}}"]}
    looked_at = json.dumps([result.result, result.error, gateway.ledger]) + repr(result)
    assert "s3cret" not in looked_at
    assert "t0ken" not in looked_at


BINDING = {"argument_name": "city", "source": "literal", "literal_value": "Rome"}


@pytest.mark.parametrize(
    "fields",
    [
        {"api_endpoint": "https://a.example/{city}"},
        {"api_headers": {"X-City": "{city}"}},
        {"api_body": {"deep": [{"c": "in {city}"}]}},
        {"api_endpoint": None, "tool_id": "tool_1"},
    ],
)
def test_bound_argument_with_slot_is_accepted(fields):
    tool = made(**{"endpoint": "https://a.example", **fields, "variable_arguments": [BINDING]})

    assert tool.config.variable_arguments[0].argument_name == "city"


def test_bound_argument_without_slot_is_rejected():
    with pytest.raises(RunError, match="sets the argument 'city', which has no slot") as caught:
        made("https://a.example/{{city}}", variable_arguments=[BINDING])

    assert "{city}" in caught.value.advice


def test_saved_tool_is_only_on_platform():
    result = call(made(None, tool_id="tool_1"))

    assert "is the saved tool 'tool_1', which is on the platform" in result.error


def test_tool_node_calls_it_and_writes(monkeypatch):
    monkeypatch.setitem(TOOL_TYPES, "external_api", ExternalApiTool)
    gateway = LiveGateway(OPEN)
    with HttpServer(book=lambda to: to.send_json({"id": 7})) as server:
        config = {"type": "external_api", "name": "Book", "api_endpoint": server.url + "/book?c={city}"}
        mapping = {"target_variable_name": "booking", "result_path": "id"}
        config |= {
            "variable_arguments": [BINDING],
            "result_variable_mappings": [mapping],
            "api_method": "POST",
        }
        steps = workflow(node("book", "tool_node", tool_config=config))
        interpreter = Interpreter(steps, HeuristicModel(), open_gateway=lambda: gateway)
        given = TurnInput.with_message(None)
        events = [e.to_wire() for e in interpreter.turn(interpreter.begin(given), given)]

    (shown,) = [event for event in events if event["type"] == "workflow_show_state"]
    assert shown["runtime_variables"]["booking"] == 7
    assert shown["runtime_variables"]["tool_result_success"] is True
    assert [(entry["target"], entry["status_code"]) for entry in gateway.ledger] == [
        (f"POST {server.url}/book?c=Rome", 200)
    ]


def test_a_stopped_run_ends_the_call():
    cancelled = threading.Event()
    cancelled.set()
    context = ToolContext(Scope(), 5, cancelled=cancelled, outbound=LiveGateway())

    with HttpServer() as server:
        result = made(server.url + "/").call({}, context)

    assert result.error == "The call was stopped."


SCOPE = Scope(
    dynamic={"base": "https://a", "odd": "{city}"}, runtime={"who": "Ann", "said": "{city.__class__}"}
)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{base}}/{city}?n={n}", "https://a/Rome?n=3"),
        ("[[who]] in {city!r}", "Ann in 'Rome'"),
        ("{n:04d} {city:>6}", "0003   Rome"),
        ("{place[zip]} {list[0]}", "00100 x"),
        ("{flag} {none}", "True None"),
        ("{{missing}} [[missing]] {city}", "{{missing}} [[missing]] Rome"),
        ("{{ no variable: {city} }}", "{ no variable: Rome }"),
        ("no slot", "no slot"),
    ],
)
def test_variables_and_arguments_are_filled_in(text, filled):
    arguments = {
        "city": "Rome",
        "n": 3,
        "place": {"zip": "00100"},
        "list": ["x"],
        "flag": True,
        "none": None,
    }

    assert fill_text(text, SCOPE, arguments, RenderBudget([])) == filled


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{base}}/{city}/{n}", "https://a/Rome/{}"),
        ("{place[zip]}{place[no]}{list[3]}{n!r}{n:>9}", "00100{}{}{}{}"),
        ("{{missing}}/{place}", "{{missing}}/{}"),
    ],
)
def test_unfillable_slot_becomes_braces(text, filled):
    arguments = {"city": "Rome", "place": {"zip": "00100"}, "list": ["x"]}

    assert fill_known(text, SCOPE, arguments, RenderBudget([])) == filled


def test_filled_values_are_not_searched_for_slots():
    arguments = {"city": "{n} {{base}} [[who]]"}

    assert fill_text("{{odd}} [[said]] {city}", SCOPE, arguments, RenderBudget([])) == (
        "{city} {city.__class__} {n} {{base}} [[who]]"
    )


def test_single_slot_becomes_the_argument():
    arguments = {"patient": {"name": "Ann"}, "n": 3, "flag": False}

    filled = fill_json(
        {"p": "{patient}", "list": ["{n}", "{n}.", 7], "f": "{flag}"}, SCOPE, arguments, RenderBudget([])
    )

    assert filled == {"p": {"name": "Ann"}, "list": [3, "3.", 7], "f": False}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{city}", "The slot {city} has no argument. Give the tool an argument named 'city'."),
        ("{}", "has no argument"),
        ("{0}", "has no argument"),
        ("{n.real}", "reaches into its argument with a dot"),
        ("{place}/x", "The argument 'place' holds an object or a list"),
        ("{place[street]}", "cannot be filled"),
        ("{n[0]}", "cannot be filled"),
        ("a { b", "cannot be filled"),
        ("a } b", "cannot be filled"),
        ("{n:x>99999999}", "too long a text"),
        ("{n:d!}", "cannot be filled"),
    ],
)
def test_unfillable_slot_is_an_error(text, complaint):
    with pytest.raises(InputError) as caught:
        fill_text(text, SCOPE, {"n": 3, "place": {"zip": "1"}}, RenderBudget([]))

    assert complaint in str(caught.value)


def test_slots_are_found_at_any_depth():
    value = {"a": ["{x}", {"b": "{y[0]} {{z}} {w!r}"}], "{key}": 1, "broken": "{"}

    assert slot_names(value) == {"x", "y", "w"}
