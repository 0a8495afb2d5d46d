"""No call of any kind reaches an address that gives out the machine's own credentials."""

from __future__ import annotations

import json
from typing import Any

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import Json, document, node, say
from tests.support.http_server import HttpServer

METADATA = "169.254.169.254"


def parts(base: str) -> dict[str, tuple[Json, Json]]:
    """Return, by kind of call, a node that calls a URL and the workflow's extra keys."""
    api = {"type": "external_api", "name": "api", "api_endpoint": f"{base}/latest"}
    llm = {"type": "custom_llm", "model": "m", "base_url": f"{base}/v1", "max_retries": 2}
    server = {"name": "clinic", "server_url": f"{base}/mcp"}
    return {
        "http": (node("n", "http_request", url=f"{base}/latest"), {}),
        "tool": (node("n", "tool_node", tool_config=api), {}),
        "model": (say("n", llms_config=llm), {}),
        "azure": (say("n", llms_config={"type": "azure_openai_llm", "endpoint": base, "max_retries": 0}), {}),
        "mcp": (say("n", use_mcp_tools=True), {"mcp_servers": [server]}),
    }


def told(folder: Any, kind: str, base: str) -> str:
    """All that a turn with such a node says."""
    part, config = parts(base)[kind]
    responder = "model" if kind in ("model", "azure") else "rules"
    database = f"sqlite:///{folder}/runs.sqlite3"
    backend = EmbeddedBackend(Settings(database=database, responder=responder, outbound_write="live"))
    made = backend.create_workflow(document(part, **config))
    turn = backend.execute(made.id, TurnInput.with_message("Go.")).finish()
    run = backend.run(turn.run_id)
    backend.close()
    return json.dumps([turn.to_wire(), run.to_wire()])


@pytest.mark.parametrize("host", [METADATA, f"[::ffff:{METADATA}]", "metadata.google.internal"])
@pytest.mark.parametrize("kind", ["http", "tool", "model", "azure", "mcp"])
def test_cloud_credential_address_is_not_called(tmp_path, monkeypatch, kind, host):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY", "planted-77")
    monkeypatch.setenv("WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL", f"http://{host}")

    assert "gives out the credentials of this machine" in told(tmp_path, kind, f"http://{host}")


@pytest.mark.parametrize("kind", ["http", "tool", "model", "mcp"])
def test_a_redirect_leads_nobody_there(tmp_path, kind):
    def away(to: Any) -> None:
        to.redirect(f"http://{METADATA}/latest", 307)

    with HttpServer(**{"latest": away, "v1/chat/completions": away, "mcp": away}) as server:
        found = told(tmp_path, kind, server.url)

    assert server.received != []
    assert '"status_code": 200' not in found
    assert any(words in found for words in ("gives out the credentials", "cannot be read", "not followed"))
