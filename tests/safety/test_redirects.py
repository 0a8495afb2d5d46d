"""Redirects by which a server of models or tools would move a key, or keep a run busy."""

from __future__ import annotations

import pytest

from debugger.engine.environment import NEVER_SET
from debugger.engine.models.base import ModelError
from debugger.engine.outbound import OutboundError, Secrets
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.tools.mcp.servers import McpServer
from debugger.engine.tools.mcp.tool import connect
from debugger.expressions import Scope
from tests.safety.sink import Sink
from tests.support.http_server import HttpServer
from tests.support.model_server import prompt, provider_model

KEY = "planted-77-key-of-a-model"
MODELS = [
    ("openai_llm", {}, "OPENAI_BASE_URL"),
    ("openai_llm", {"use_responses_api": True}, "OPENAI_BASE_URL"),
    ("azure_openai_llm", {}, "AZURE_OPENAI_ENDPOINT"),
    ("anthropic_llm", {}, "ANTHROPIC_BASE_URL"),
    ("google_llm", {}, "GOOGLE_GEMINI_BASE_URL"),
]
KEYS = dict.fromkeys(("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), KEY)
LIMITS = HttpLimits()


class RedirectingServer(HttpServer):
    """A server that redirects every request to one URL; an empty one stands for the request's own."""

    def __init__(self, target: str, status: int) -> None:
        super().__init__()
        self.routes = self
        self.target, self.status = target, status

    def get(self, path, _default):
        """Return the answer for a path."""
        return lambda to: to.redirect(self.target or path, self.status)


@pytest.fixture
def sink():
    with Sink() as listener:
        yield listener


def model_error(server, kind, options, address):
    model = provider_model({**KEYS, address: server.url})
    with pytest.raises(ModelError) as caught:
        model.reply(prompt({"type": kind, "max_retries": 0, **options}))
    return str(caught.value)


def tools_error(url):
    server = McpServer.from_wire({"server_url": url, "api_headers": {"X-Shop": "{{KEY}}"}})
    endpoint = server.endpoint(Scope(), Secrets({"KEY": KEY}), Scope())
    with pytest.raises(OutboundError) as caught:
        connect(endpoint, 5, NEVER_SET, LIMITS).list_tools()
    return str(caught.value)


@pytest.mark.parametrize("status", [301, 303, 307])
@pytest.mark.parametrize(("kind", "options", "address"), MODELS)
def test_model_server_moves_no_key(sink, kind, options, address, status):
    with RedirectingServer(f"http://{sink.netloc}/v1", status) as server:
        error = model_error(server, kind, options, address)

        assert len(server.received) == 1
    assert sink.connections == []
    assert KEY not in error


@pytest.mark.parametrize(("kind", "options", "address"), MODELS)
def test_model_server_leads_to_no_refused_address(kind, options, address):
    with RedirectingServer("http://169.254.169.254/latest", 307) as server:
        error = model_error(server, kind, options, address)

        assert len(server.received) == 1
    assert "169.254" not in error


@pytest.mark.parametrize(("kind", "options", "address"), MODELS)
def test_model_server_keeps_no_run_busy(kind, options, address):
    with RedirectingServer("", 307) as server:
        model_error(server, kind, options, address)

        assert len(server.received) <= 1 + LIMITS.redirects


@pytest.mark.parametrize("path", ["mcp", "sse"])
@pytest.mark.parametrize("status", [301, 303, 307])
def test_tool_server_moves_no_key(sink, path, status):
    with RedirectingServer(f"http://{sink.netloc}/{path}", status) as server:
        error = tools_error(f"{server.url}/{path}")

    assert sink.connections == []
    assert KEY not in error


@pytest.mark.parametrize(("path", "requests"), [("mcp", 2), ("sse", 1)])
def test_tool_server_keeps_no_run_busy(path, requests):
    with RedirectingServer("", 307) as server:
        tools_error(f"{server.url}/{path}")

        assert len(server.received) == requests * (1 + LIMITS.redirects)
