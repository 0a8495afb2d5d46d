"""Attacks that send a secret to an attacker's MCP server."""

from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.environment import NEVER_SET
from debugger.engine.outbound import OutboundError, Secrets
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.tools.mcp.servers import McpServer
from debugger.engine.tools.mcp.tool import connect
from debugger.expressions import Scope
from tests.safety.secret_trails import execute
from tests.safety.sink import Sink
from tests.support.factories import document, say
from tests.support.http_server import HttpServer


@pytest.fixture
def sink():
    with Sink() as listener:
        yield listener


@pytest.mark.parametrize("url", ["http://{{host}}/mcp", "http://{{host}}/sse", "http://{good}{{path}}"])
def test_supplied_variable_moves_no_mcp_server(tmp_path, monkeypatch, caplog, sink, url):
    with HttpServer() as good:
        netloc = good.url.removeprefix("http://")
        server = {"name": "shop", "server_url": url.replace("{good}", netloc)}
        server["api_headers"] = {"X-Shop": "{{SHOP_KEY}}"}
        flow = document(
            say("n", use_mcp_tools=True), mcp_servers=[server], defaults={"host": netloc, "path": "/mcp"}
        )
        fields = {"dynamic_variables": {"host": sink.netloc, "path": f"@{sink.netloc}/mcp"}}

        trail = execute(tmp_path, monkeypatch, flow, fields, log=caplog, responder="rules")

        assert good.received == []
    assert f"the secret 'SHOP_KEY' must not be sent to http://{sink.netloc}" in trail.error
    assert "'shop' gives no tools" in trail.error
    assert [(entry["kind"], entry["how"]) for entry in trail.ledger] == [("mcp", "blocked")]
    assert (trail.hosts, sink.connections, trail.leaks()) == (set(), [], [])


def test_host_header_moves_no_mcp_server():
    headers = {"X-Shop": "{{KEY}}", "Host": "{{tenant}}"}
    server = McpServer.from_wire({"server_url": "http://shop.example/mcp", "api_headers": headers})
    own, supplied = Scope({"tenant": "a.example"}), Scope({"tenant": "evil.example"})
    secrets = Secrets({"KEY": "planted-77"})

    assert server.endpoint(own, secrets, own).refusal == ""
    refusal = server.endpoint(supplied, secrets, own).refusal
    assert "the secret 'KEY' must not be sent to http://shop.example (as evil.example)" in refusal


def test_redirect_takes_no_mcp_header_along(sink):
    with HttpServer(mcp=lambda to: to.redirect(f"http://{sink.netloc}/mcp", 307)) as good:
        error = failure(f"{good.url}/mcp")

        assert good.received[0].headers["x-shop"] == "planted-77"
    assert sink.connections == []
    assert "planted-77" not in error


def test_sse_endpoint_elsewhere_gets_no_header(sink):
    """A server of the older transport names the address for messages itself."""

    def stream(to: Any) -> None:
        to.send_response(200)
        to.send_header("Content-Type", "text/event-stream")
        to.end_headers()
        to.wfile.write(f"event: endpoint\ndata: http://{sink.netloc}/messages\n\n".encode())
        to.wfile.flush()
        to.server.closing.wait(1)

    with HttpServer(sse=stream) as good:
        error = failure(f"{good.url}/sse")

        assert good.received[0].headers["x-shop"] == "planted-77"
    assert sink.connections == []
    assert "planted-77" not in error


def failure(url: str) -> str:
    """Return the error of listing a server's tools with a secret."""
    server = McpServer.from_wire({"server_url": url, "api_headers": {"X-Shop": "{{KEY}}"}})
    endpoint = server.endpoint(Scope(), Secrets({"KEY": "planted-77"}), Scope())
    assert endpoint.refusal == ""
    with pytest.raises(OutboundError) as caught:
        connect(endpoint, 1, NEVER_SET, HttpLimits()).list_tools()
    return str(caught.value)


def test_transport_calls_its_only_destination():
    """Let the transport refuse any other call of the MCP package."""
    import anyio
    import httpx2

    from debugger.engine.outbound.transport import CheckedTransport

    async def get(url: str) -> int:
        transport = CheckedTransport(HttpLimits(), only=httpx2.URL(good.url))
        async with httpx2.AsyncClient(transport=transport, follow_redirects=True) as client:
            return (await client.get(url, headers={"Accept-Encoding": "identity"})).status_code

    with HttpServer() as other, HttpServer(away=lambda to: to.redirect(other.url, 307)) as good:
        assert anyio.run(get, f"{good.url}/near") == 200
        for url in (other.url, f"{good.url}/away"):
            with pytest.raises(OutboundError, match="another host, port or scheme"):
                anyio.run(get, url)

        assert other.received == []
