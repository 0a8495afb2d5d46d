"""Against real MCP servers, each in a process of its own (``mcp_server_process.py``)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from debugger.engine.environment import Environment
from debugger.engine.nodes.base import NodeContext
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import RecordedAnswer, Secrets
from debugger.engine.outbound.gateway import BlockedGateway, HttpLimits, LiveGateway, Policies
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.engine.tools.mcp import McpServer, McpTool, mcp_servers, mcp_tools
from debugger.engine.tools.mcp.tool import FRESH_SECONDS, DiscoveryCache
from debugger.errors import RunError
from debugger.expressions import Scope
from debugger.protocol.workflow import NodeConfig
from tests.support.factories import static, workflow
from tests.support.http_server import Handler, HttpServer
from tests.support.recorded import answering

TOKEN = "tok-5ecret-value-77"


@contextmanager
def serving(transport: str = "http", token: str = "") -> Iterator[str]:
    """A server; gives its URL."""
    script = Path(__file__).with_name("mcp_server_process.py")
    with subprocess.Popen([sys.executable, str(script), transport, token], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with serving(token=TOKEN) as found:
        yield found


@dataclass
class Node:
    """The part of a node's context that discovery reads."""

    outbound: Any = field(default_factory=lambda: LiveGateway(Policies(write="live")))
    scope: Scope = field(default_factory=Scope)
    authored: Scope = field(default_factory=Scope)
    options: EngineOptions = field(default_factory=EngineOptions)
    environment: Environment = field(default_factory=Environment)
    cancelled: threading.Event = field(default_factory=threading.Event)
    deadline: float | None = None
    clamp_timeout = NodeContext.clamp_timeout


def server(url: str, name: str = "clinic", **headers: str) -> McpServer:
    return McpServer.from_wire({"name": name, "server_url": url, "api_headers": headers})


def discover(*servers: McpServer, node: Node | None = None, **more: Any) -> Any:
    more.setdefault("discoveries", DiscoveryCache())
    return mcp_tools(servers, node or Node(), node_logical_id="node_1", **more)


def tool_of(url: str, name: str, node: Node | None = None, **headers: str) -> McpTool:
    found = discover(server(url, **headers), node=node)
    return next(tool for tool in found.tools if tool.config.name == name)


def context(
    gateway: Any = None, timeout: float = 10, cancelled: threading.Event | None = None
) -> ToolContext:
    return ToolContext(
        scope=Scope(),
        timeout=timeout,
        outbound=gateway or LiveGateway(Policies(write="live")),
        cancelled=cancelled or threading.Event(),
        node_logical_id="node_1",
    )


def test_a_server_is_asked_for_its_tools(url):
    found = discover(server(url))

    slots = found.tools[0].config
    assert (found.warnings, found.failures) == ([], [])
    assert [tool.config.name for tool in found.tools][:3] == ["find_slots", "book_slot", "say_hours"]
    assert (slots.signature, slots.server, slots.type) == ("Find free slots.", "clinic", "mcp")
    assert slots.args_schema["properties"]["day"]["type"] == "string"


def test_invalid_name_is_changed_for_models_only(url):
    tool = tool_of(url, "echo_headers")

    assert "user-agent" in tool.call({}, context()).result


def test_structured_content_is_the_result(url):
    assert tool_of(url, "book_slot").call({"day": "Mon", "time": "9"}, context()) == ToolResult(
        success=True, result={"booked": "Mon 9"}
    )


def test_text_is_result_without_structured_content(url):
    assert tool_of(url, "say_hours").call({}, context()).result == "Open from 9 to 5."


def test_parts_that_are_no_text_are_named(url):
    result = tool_of(url, "show_map").call({}, context()).result

    assert result == "Here it is.\n[image image/png]\nBy bus.\n[resource_link text/plain file:///way.txt]"


def test_tool_error_is_a_failure(url):
    result = tool_of(url, "fail").call({"reason": "The calendar is shut."}, context())

    assert not result.success
    assert "The calendar is shut." in str(result.error)


def test_wrong_arguments_are_a_failure(url):
    result = tool_of(url, "find_slots").call({"hour": 9}, context())

    assert not result.success
    assert "day" in str(result.error)


def test_unrepresentable_result_is_a_failure(url):
    result = tool_of(url, "count").call({}, context())

    assert not result.success
    assert "more than 64 bits" in str(result.error)


def test_sse_url_uses_the_older_transport():
    with serving("sse") as url:
        tool = tool_of(url, "book_slot")

        result = tool.call({"day": "Mon", "time": "9"}, context())

    assert result.result == {"booked": "Mon 9"}


def test_slow_tool_ends_at_the_timeout(url):
    tool = tool_of(url, "dawdle")
    began = time.monotonic()

    result = tool.call({"seconds": 30}, context(timeout=0.5))

    assert not result.success
    assert "did not answer within 0.5 s" in str(result.error)
    assert time.monotonic() - began < 5


def test_list_of_tools_ends_at_the_deadline():
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = discover(
            server(f"http://127.0.0.1:{silent.getsockname()[1]}/mcp"), node=Node(deadline=time.time() + 0.5)
        )

    assert found.tools == []
    assert "did not answer within 0." in found.failures[0]
    assert time.monotonic() - began < 5


def test_stopped_run_ends_the_call(url):
    tool, cancelled = tool_of(url, "dawdle"), threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    began = time.monotonic()

    result = tool.call({"seconds": 30}, context(timeout=20, cancelled=cancelled))

    assert result == ToolResult(success=False, error="The call was stopped.")
    assert time.monotonic() - began < 5


def test_stopped_run_calls_nothing(url):
    tool, cancelled, gateway = (
        tool_of(url, "say_hours"),
        threading.Event(),
        LiveGateway(Policies(write="live")),
    )
    cancelled.set()
    node = Node(outbound=gateway, cancelled=cancelled)

    result = tool.call({}, context(gateway, cancelled=cancelled))

    assert result.error == "The call was stopped."
    assert discover(server(url), node=node).tools == []
    assert gateway.ledger == []


def test_vanished_server_is_a_failure():
    with serving() as url:
        tool = tool_of(url, "say_hours")

    result = tool.call({}, context())

    assert not result.success
    assert f"No server answers at {url}" in str(result.error)


def odd(answer: Callable[[dict[str, Any], Handler], None]) -> HttpServer:
    """A server that answers the handshake as it should, and the rest as a function does."""

    def respond(to: Handler) -> None:
        body = to.server.received[-1].body
        message = json.loads(body) if body else {}
        if message.get("method") == "initialize":
            about = {"name": "odd", "version": "1"}
            shape = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": about}
            to.send_json({"jsonrpc": "2.0", "id": message["id"], "result": shape})
        elif message.get("method") in ("tools/list", "tools/call"):
            answer(message, to)
        else:
            to.send_body(b"", "text/plain", 202 if "id" not in message and body else 405)

    return HttpServer(mcp=respond)


def replies(result: dict[str, Any]) -> Callable[[dict[str, Any], Handler], None]:
    return lambda message, to: to.send_json({"jsonrpc": "2.0", "id": message["id"], "result": result})


def test_repeated_page_of_tools_ends_the_list():
    page = {"tools": [{"name": "t", "inputSchema": {"type": "object"}}], "nextCursor": "again"}

    with odd(replies(page)) as endless:
        found = discover(server(endless.url + "/mcp"))

    assert [tool.config.name for tool in found.tools] == ["clinic_t", "clinic_t_2"]


@pytest.mark.parametrize(
    ("result", "length"),
    [
        ({"content": [{"type": "text", "text": "e" * 2_000_000}], "isError": True}, 10_001),
        ({"content": [], "structuredContent": {"a": "e" * 2_000_000}}, 60),
    ],
)
def test_long_result_or_error_is_cut(result, length):
    def answer(message: dict[str, Any], to: Handler) -> None:
        tools = {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}
        replies(tools if message["method"] == "tools/list" else result)(message, to)

    with odd(answer) as talkative:
        failed = tool_of(talkative.url + "/mcp", "t").call({}, context())

    assert not failed.success
    assert len(failed.error) == length


def test_malformed_result_is_named():
    def answer(message: dict[str, Any], to: Handler) -> None:
        tools = {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}
        replies(tools if message["method"] == "tools/list" else {"content": None})(message, to)

    with odd(answer) as malformed:
        failed = tool_of(malformed.url + "/mcp", "t").call({}, context())

    reason = "gave an answer that cannot be read: content: Input should be a valid list."
    assert failed.error == f"{malformed.url}/mcp {reason}"


def test_missing_server_is_a_warning(url):
    with serving() as gone:
        pass

    found = discover(server(gone, "gone"), server(url))

    assert len(found.failures) == 1
    assert found.failures[0].startswith(f"The MCP server 'gone' gives no tools: No server answers at {gone}")
    assert "say_hours" in [tool.config.name for tool in found.tools]


@pytest.mark.parametrize(
    ("headers", "path", "why"),
    [
        ({}, "/mcp", "HTTP 401; look at its api_headers"),
        ({"Authorization": f"Bearer {TOKEN}"}, "/nothing", "HTTP 404; look at the path"),
        ({"Authorization": f"Bearer {TOKEN}"}, "/sse", "HTTP 404; look at the path"),
    ],
)
def test_refusing_server_is_a_warning_with_status(guarded, headers, path, why):
    found = discover(server(guarded.replace("/mcp", path), **headers))

    assert found.tools == []
    assert why in found.failures[0]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://169.254.169.254/mcp", "credentials of this machine"),
        ("http://no.such.host.invalid/mcp", "no host"),
        ("ftp://127.0.0.1/mcp", "not a URL"),
        ("http://127.0.0.1:99999/mcp", "not a URL"),
        ("{{base}}/mcp", "a placeholder in it has no value"),
        ("nonsense", "not a URL"),
    ],
)
def test_forbidden_address_is_a_warning(address, why):
    found = discover(server(address))

    assert found.tools == []
    [text] = [*found.warnings, *found.failures]
    assert why in text


def test_answers_larger_than_the_limit_are_refused(url):
    gateway = LiveGateway(limits=HttpLimits(answer_bytes=500))

    assert "larger than the limit" in discover(server(url), node=Node(gateway)).failures[0]


def test_url_and_headers_are_filled(guarded):
    host = guarded.removeprefix("http://")
    variables = Scope(dynamic={"host": host})
    node = Node(LiveGateway(secrets=Secrets({"CLINIC_TOKEN": TOKEN})), variables, variables)

    found = discover(server("http://{{host}}", Authorization="Bearer {{CLINIC_TOKEN}}"), node=node)

    assert found.warnings == []
    assert found.tools


def test_unresolved_header_is_a_warning(url):
    found = discover(server(url, Tenant="{{tenant}}"))

    assert found.warnings == ["The MCP server 'clinic' gets headers without a value for {{tenant}}."]
    assert found.tools


def test_header_may_have_any_letters(guarded):
    headers = {"Authorization": f"Bearer {TOKEN}", "X-City": "Köln"}

    found = discover(server(guarded, **headers))

    assert found.warnings == []
    assert found.tools != []


def test_invalid_header_is_warned_without_value(url):
    found = discover(server(url, Authorization=f"{TOKEN}\nHost: evil"))

    assert "'Authorization'" in found.warnings[0]
    assert TOKEN not in found.warnings[0]


@pytest.mark.parametrize("as_secret", [True, False])
def test_a_secret_shows_nowhere(guarded, caplog, as_secret):
    caplog.set_level(logging.DEBUG)
    gateway = LiveGateway(
        Policies(write="live"), secrets=Secrets({"CLINIC_TOKEN": TOKEN} if as_secret else {})
    )
    token = "{{CLINIC_TOKEN}}" if as_secret else TOKEN
    shown: list[Any] = []

    for path in ("mcp", "nothing"):
        address = f"{guarded.removesuffix('mcp')}{path}?api_key={token}"
        found = discover(server(address, Authorization=f"Bearer {token}"), node=Node(gateway))
        shown += [found, [tool.config for tool in found.tools]]
        for tool in found.tools:
            given = {"reason": TOKEN, "day": TOKEN, "time": "9", "seconds": 0}
            names = tool.config.args_schema["properties"]
            shown.append(tool.call({name: given[name] for name in names}, context(gateway)))
            shown.append(tool.call({"wrong": TOKEN}, context(gateway)))

    text = (
        repr(shown) + json.dumps(gateway.ledger) + caplog.text + repr([vars(tool) for tool in shown[0].tools])
    )
    assert "find_slots" in text
    assert "***" in text
    assert TOKEN not in text


def test_call_class_follows_the_servers_hint(url):
    gateway = LiveGateway(Policies(write="blocked"))
    found = discover(server(url), node=Node(gateway))
    read, write = found.tools[:2]

    seen = read.call({"day": "Mon"}, context(gateway))
    refused = write.call({"day": "Mon", "time": "9"}, context(gateway))

    listed, reading, writing = gateway.ledger
    assert seen.success
    assert "WORKFLOW_DEBUGGER_OUTBOUND_WRITE" in str(refused.error)
    assert [entry["call_class"] for entry in gateway.ledger] == ["read", "read", "write"]
    assert {entry["kind"] for entry in gateway.ledger} == {"mcp"}
    assert listed["target"] == f"MCP {url} tools/list"
    assert reading["request"] == {
        "server": "clinic",
        "url": url,
        "tool": "find_slots",
        "arguments": {"day": "Mon"},
    }
    assert (writing["target"], writing["how"]) == (f"MCP {url} book_slot", "blocked")
    assert writing["node_logical_id"] == "node_1"


def test_blocked_gateway_gives_warning_and_no_tools(url):
    found = discover(server(url), node=Node(BlockedGateway()))

    assert found.tools == []
    assert "no network access" in found.failures[0]


def test_simulated_calls_give_what_was_recorded():
    tools = [{"name": "find_slots", "description": "Find.", "annotations": {"readOnlyHint": True}}, {"no": 1}]
    answers = [
        RecordedAnswer(re.compile("tools/list"), body={"tools": tools}),
        RecordedAnswer(re.compile("find_slots"), body=["9:00"]),
    ]
    gateway = answering(Policies(read="simulated"), *answers)

    found = discover(server("http://127.0.0.1:1/mcp"), node=Node(gateway))

    assert [tool.config.name for tool in found.tools] == ["find_slots"]
    assert found.tools[0].call({}, context(gateway)).result == ["9:00"]
    assert [entry["call_class"] for entry in gateway.ledger] == ["read", "read"]


def test_a_failure_can_be_recorded(url):
    answers = [RecordedAnswer(re.compile("find_slots"), status=503)]
    gateway = answering(Policies(read="simulated"), *answers)

    result = tool_of(url, "find_slots").call({"day": "Mon"}, context(gateway))

    assert not result.success
    assert "status 503" in str(result.error)


def test_simulated_call_is_marked_without_recording(url):
    tool, gateway = tool_of(url, "find_slots"), answering(Policies(read="simulated"))

    result = tool.call({"day": "Mon"}, context(gateway))

    assert result.success
    assert result.result["simulated"] is True
    assert "no list of tools is recorded" in discover(server(url), node=Node(gateway)).warnings[0]


def test_server_tools_are_cached():
    now, known = [1000.0], DiscoveryCache()
    node = Node(environment=Environment(now=lambda: now[0]))
    with serving() as url:
        first = discover(server(url), node=node, discoveries=known)

    now[0] += FRESH_SECONDS - 1
    second = discover(server(url), node=node, discoveries=known)
    other = discover(server(url, Tenant="b"), node=node, discoveries=known)
    now[0] += 1
    third = discover(server(url), node=node, discoveries=known)
    now[0] = 10.0
    earlier = discover(server(url), node=node, discoveries=known)

    assert len(first.tools) == len(second.tools) > 0
    assert other.tools == third.tools == earlier.tools == []


def test_duplicate_names_get_the_servers_name(url):
    found = discover(server(url, "clinic a"), server(url, "clinic b"), taken=["say_hours"])
    alone = discover(server(url), taken=["say_hours"])
    alike = discover(server(url), server(url))

    names = [tool.config.name for tool in found.tools]
    assert "clinic_a_find_slots" in names
    assert "clinic_b_find_slots" in names
    assert "clinic_say_hours" in [tool.config.name for tool in alone.tools]
    assert "find_slots" in [tool.config.name for tool in alone.tools]
    assert {"clinic_find_slots", "clinic_find_slots_2"} <= {tool.config.name for tool in alike.tools}
    assert found.tools[0].call({"day": "Mon"}, context()).success


def test_thread_with_event_loop_can_call(url):
    async def play() -> ToolResult:
        return tool_of(url, "say_hours").call({}, context())

    assert asyncio.run(play()).result == "Open from 9 to 5."


def test_no_thread_is_left_behind(url):
    before = set(threading.enumerate())

    tool_of(url, "say_hours").call({}, context())
    tool_of(url, "dawdle").call({"seconds": 30}, context(timeout=0.2))

    assert set(threading.enumerate()) == before


def test_missing_package_is_named_in_warning(url, monkeypatch):
    monkeypatch.delitem(sys.modules, "debugger.engine.tools.mcp.connection", raising=False)
    monkeypatch.delattr("debugger.engine.tools.mcp.connection", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)

    found = discover(server(url))

    assert found.tools == []
    assert "pip install '.[mcp]'" in found.failures[0]


def test_servers_are_read_from_workflow_settings():
    made = workflow(static("a", "Hi"), mcp_servers=[{"server_url": "http://host/mcp", "api_headers": None}])

    (found,) = mcp_servers(made)

    assert (found.name, found.server_url, found.api_headers) == (None, "http://host/mcp", {})
    assert mcp_servers(workflow(static("a", "Hi"))) == []
    assert mcp_servers(workflow(static("a", "Hi"), mcp_servers=None)) == []


def test_super_node_member_has_its_own_servers():
    made = workflow(static("a", "Hi"), mcp_servers=[{"server_url": "http://outer/mcp"}])
    inner = NodeConfig.from_wire(static("b", "Hi", mcp_servers=[{"server_url": "http://inner/mcp"}]))
    none = NodeConfig.from_wire(static("c", "Hi", mcp_servers=[]))
    plain = NodeConfig.from_wire(static("d", "Hi"))

    assert [each.server_url for each in mcp_servers(made, inner)] == ["http://inner/mcp"]
    assert mcp_servers(made, none) == []
    assert [each.server_url for each in mcp_servers(made, plain)] == ["http://outer/mcp"]


@pytest.mark.parametrize(
    "servers",
    [
        [{"name": "a", "api_headers": {"Authorization": TOKEN}}],
        [{"server_url": " ", "api_headers": {"Authorization": TOKEN}}],
        [{"server_url": "http://host/mcp", "api_headers": {"Authorization": [TOKEN]}}],
        [TOKEN],
        {"server_url": "http://host/mcp"},
    ],
)
def test_invalid_server_is_error_without_secrets(servers):
    with pytest.raises(RunError, match="mcp_servers") as caught:
        mcp_servers(workflow(static("a", "Hi"), mcp_servers=servers))

    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
