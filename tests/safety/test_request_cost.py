"""Attacks on the cost of requests: huge slots and placeholders."""

from __future__ import annotations

import pytest

from debugger.engine.outbound import Secrets
from debugger.engine.outbound.gateway import LiveGateway, Policies
from debugger.engine.tools.base import ToolContext
from debugger.engine.tools.external_api import ExternalApiConfig, ExternalApiTool
from debugger.engine.tools.mcp.servers import McpServer
from debugger.errors import InputError
from debugger.expressions import Scope, limits
from tests.engine.test_interpreter import Play
from tests.safety.bounded_child import run_bounded
from tests.support.factories import node

MEGABYTE = 1_000_000
PAGE = "x" * 900_000
NOWHERE = "http://127.0.0.1:9/"
LIMIT = "longer than 10 million characters together"
TOO_LONG_FOR_FILTER = "{{ page | append: page | append: 'y' }}"


@pytest.fixture(params=[{}, {"KEY": "planted-77"}], ids=["no-secret", "secret"])
def secrets(request):
    return Secrets(request.param)


def call_tool(fields, secrets, arguments=None, *, url=NOWHERE):
    """Call an API with long variables; return error and warnings."""
    written = {"type": "external_api", "name": "a", "api_endpoint": url, "api_method": "POST", **fields}
    scope = Scope(dynamic={"page": PAGE}, runtime={"page": PAGE})
    context = ToolContext(scope, 1, outbound=LiveGateway(Policies(write="blocked"), secrets=secrets))
    result = ExternalApiTool(ExternalApiConfig.from_wire(written)).call(arguments or {}, context)
    return result.error, context.warnings


@pytest.mark.parametrize(
    ("fields", "arguments"),
    [
        ({"api_body": {"t": "[[page]]" * 500}}, {}),
        ({"api_body": {"t": ["[[page]]"] * 100_000}}, {}),
        ({"api_body": {"t": ["{page}"] * 100_000}}, {"page": PAGE}),
        ({"api_body": {"t": ["{rows}"] * 1_000}}, {"rows": [[]] * 100_000}),
        ({"api_body": {"t": "{page} " * 500}}, {"page": PAGE}),
        ({"api_body": {"t": "{page!r:>9} " * 500}}, {"page": PAGE}),
        ({"api_body": {"t": "{a:999}" * 400_000}}, {"a": 1}),
        ({"api_body": {"t": ["{a:{b}}" * 5_000] * 100}}, {"a": 1, "b": 999}),
        ({"api_headers": {f"X-{number}": "[[page]]" for number in range(500)}}, {}),
        ({"api_endpoint": NOWHERE + "{a:999}" * 400_000}, {"a": 1}),
    ],
    ids=["text", "list", "slots", "items", "slot", "repr", "width", "nested", "headers", "url"],
)
def test_tool_makes_no_huge_request(fields, arguments, secrets):
    outcome = run_bounded(lambda: call_tool(fields, secrets, arguments))

    assert LIMIT in outcome.value[0]
    assert outcome.grown_bytes < 100 * MEGABYTE


def test_error_of_slots_stays_short(secrets):
    outcome = run_bounded(lambda: call_tool({"api_body": {"t": "{" + PAGE}}, secrets))

    assert "cannot be filled" in outcome.value[0]
    assert len(outcome.value[0]) < 1_000


def test_texts_of_request_share_one_time_limit(secrets, monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVALUATION_SECONDS", 0.3)
    body = {"t": [f"{{{{ page | url_encode | size }}}}{number}" for number in range(2_000)]}

    outcome = run_bounded(lambda: call_tool({"api_body": body}, secrets))

    error, warnings = outcome.value
    assert all("takes longer than 0.3 seconds" in each for each in warnings or [error])
    assert len(warnings) <= 20
    assert outcome.cpu_seconds < 2


@pytest.mark.parametrize(
    "fields",
    [
        {"body_parameters": {"t": ["[[page]]"] * 100_000}},
        {"body_parameters": {"t": ["[[page]]" * 9] * 9}},
        {"body_parameters": '{"t": "' + "[[page]]" * 9 + '"}', "query_parameters": {"q": "[[page]]" * 9}},
        {"headers": {f"X-{number}": "[[page]]" for number in range(500)}},
        {"url": NOWHERE + "[[page]]" * 7, "query_parameters": '{"q": "' + "[[page]]" * 7 + '"}'},
    ],
    ids=["list", "texts", "query", "headers", "url"],
)
def test_http_node_makes_no_huge_request(fields):
    def attack():
        play = Play(node("a", "http_request", **{"url": NOWHERE, "method": "POST", **fields}))
        play.turn(runtime_variables={"page": PAGE})
        return play.one("http_request")["error"]

    outcome = run_bounded(attack)

    assert LIMIT in outcome.value
    assert outcome.grown_bytes < 200 * MEGABYTE


def test_mcp_server_gets_no_huge_headers(secrets):
    headers = {f"X-{number}": "[[page]]" for number in range(500)}
    server = McpServer.from_wire({"server_url": NOWHERE, "api_headers": headers})

    def attack():
        with pytest.raises(InputError, match=LIMIT):
            server.endpoint(Scope(runtime={"page": PAGE}), secrets, Scope())

    assert run_bounded(attack).grown_bytes < 100 * MEGABYTE


# --- the reason why a placeholder stays ------------------------------------------------------------------


def warnings_of(play):
    warnings = [
        event.to_wire()["warning_message"] for event in play.events if event.type == "workflow_warning"
    ]
    return [warning for warning in warnings if "placeholder" in warning]


def is_named(warnings):
    return len(warnings) == 1 and "is left as it is written" in warnings[0] and "1,000,000" in warnings[0]


@pytest.mark.parametrize(
    "fields", [{"api_body": {"t": TOO_LONG_FOR_FILTER}}, {"api_headers": {"X": TOO_LONG_FOR_FILTER}}]
)
def test_tool_warns_of_placeholder_that_stays(fields, secrets):
    _, warnings = call_tool(fields, secrets)

    assert is_named(warnings)


@pytest.mark.parametrize(
    "fields",
    [
        {"body_parameters": {"t": TOO_LONG_FOR_FILTER}},
        {"body_parameters": TOO_LONG_FOR_FILTER, "body_content_type": "text/plain"},
        {"query_parameters": {"t": TOO_LONG_FOR_FILTER}},
        {"headers": {"X": TOO_LONG_FOR_FILTER}},
    ],
    ids=["body", "text", "query", "header"],
)
def test_http_node_warns_of_placeholder_that_stays(fields):
    play = Play(node("a", "http_request", **{"url": NOWHERE, "method": "POST", **fields}))

    play.turn(dynamic_variables={"page": PAGE})

    assert is_named(warnings_of(play))


def test_mcp_server_warns_of_placeholder_that_stays(secrets):
    server = McpServer.from_wire({"server_url": NOWHERE, "api_headers": {"X": TOO_LONG_FOR_FILTER}})

    assert is_named(server.endpoint(Scope(dynamic={"page": PAGE}), secrets, Scope()).faults)


def test_connector_warns_of_placeholder_that_stays():
    play = Play(node("a", "send_sms", message=TOO_LONG_FOR_FILTER))

    play.turn(dynamic_variables={"page": PAGE})

    assert is_named(warnings_of(play))
