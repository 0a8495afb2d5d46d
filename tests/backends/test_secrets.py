"""Secrets of every origin, looked for wherever a run leaves a trace (``platform.md#secrets``)."""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest

from debugger.analysis.side_effects import ledgers, side_effects
from debugger.backends.embedded import EmbeddedBackend
from debugger.exports.csv_files import side_effects_csv
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.settings import Settings
from debugger.store.compression import decompress
from tests.engine.tools.test_mcp import serving as serving_mcp
from tests.support.exports import every_text, exported
from tests.support.factories import Json, direct, document, node, say
from tests.support.http_server import HttpServer
from tests.support.model_server import said
from tests.support.model_server import serving as serving_model

NUMBER = "+14155550123"
OF_ENVIRONMENT = {
    "WORKFLOW_DEBUGGER_SECRET_SHOP_KEY": "plänted/secret+of environment",
    "WORKFLOW_DEBUGGER_SECRET_crm": "Bearer planted-integration-77",
    "OPENAI_API_KEY": "sk-planted-openai-77",
    "ANTHROPIC_API_KEY": "sk-ant-planted-77",
    "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": "planted-custom-key-77",
    "AWS_SECRET_ACCESS_KEY": "planted-aws-key-77",
}
WRITTEN = {
    name: f"planted-{name}-77"
    for name in ("header", "userinfo", "query", "llm", "llm_header", "mcp", "google", "bearer", "athena")
}
"""What an author wrote out in a workflow, where it stays in the document and goes nowhere else."""


def traces(secret: str) -> set[str]:
    """The ways in which a secret can be written."""
    in_base64 = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], in_base64}


def planted(http: str, model: str, mcp: str) -> Json:
    """A workflow that carries a secret in each place that can hold one, and calls with all of them."""
    authorization = {"Authorization": f"Bearer {WRITTEN['header']}", "X-Shop": "{{SHOP_KEY}}"}
    by_user = http.replace("//", f"//ann:{WRITTEN['userinfo']}@")
    api = {
        "type": "external_api",
        "name": "crm",
        "api_endpoint": f"{by_user}/echo?api_key={WRITTEN['query']}&k={{{{SHOP_KEY}}}}",
        "api_method": "POST",
        "api_headers": {"X-Api-Key": WRITTEN["header"]},
        "api_body": {"shop": "{{SHOP_KEY}}"},
        "integration_auth": {"integration_id": "crm"},
    }
    llm = {
        "type": "custom_llm",
        "model": "m",
        "base_url": f"{model.replace('//', '//ann:' + WRITTEN['userinfo'] + '@')}/v1",
        "api_key": WRITTEN["llm"],
        "default_headers": {"Authorization": f"Bearer {WRITTEN['llm_header']}"},
        "max_retries": 0,
    }
    credentials = {
        "type": "google_workspace_service_account",
        "service_account_email": "a@example.com",
        "private_key_id": WRITTEN["google"],
        "private_key": WRITTEN["google"],
    }
    parts = [
        node("http", "http_request", url=f"{by_user}/echo?token={WRITTEN['query']}", headers=authorization),
        node(
            "post", "http_request", method="POST", url=f"{http}/no", body_parameters='{"k": "{{SHOP_KEY}}"}'
        ),
        node("api", "tool_node", tool_config=api),
        node("sms", "send_sms", destination_phone_number=NUMBER, message="The key is {{SHOP_KEY}}."),
        node("ehr", "athena_patients_search", api_key=WRITTEN["athena"], full_name="{{SHOP_KEY}}"),
        node(
            "docs",
            "google_docs",
            credentials=credentials,
            operate_document={"type": "google_docs_create_document", "title": "{{SHOP_KEY}}"},
        ),
        node(
            "call",
            "start_conversation",
            is_voice_conversation=True,
            bearer_token=WRITTEN["bearer"],
            user_number=NUMBER,
            assistant_id="a1",
            polling_interval_seconds=0,
        ),
        say("chat", "Help. {{SHOP_KEY}}", llms_config=llm, use_mcp_tools=True, tools_config={"tools": [api]}),
    ]
    edges = [direct(one["logical_id"], two["logical_id"]) for one, two in pairwise(parts)]
    server = {
        "name": "clinic",
        "server_url": f"{mcp.replace('//', '//ann:' + WRITTEN['userinfo'] + '@')}?key={WRITTEN['query']}",
        "api_headers": {"Authorization": f"Bearer {WRITTEN['mcp']}", "X-Shop": "{{SHOP_KEY}}"},
    }
    return document(*parts, *edges, mcp_servers=[server])


def stored(path: Any) -> str:
    """All that a store holds but the workflows, whose documents are the author's own."""
    with sqlite3.connect(path) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [
            row
            for table in tables
            if table != "versions"
            for row in database.execute(f"SELECT * FROM {table}")
        ]
    database.close()
    cells = [
        decompress(cell).decode() if isinstance(cell, bytes) else str(cell) for row in rows for cell in row
    ]
    return "\n".join(cells)


@pytest.mark.parametrize("policy", ["live", "simulated", "blocked"])
@pytest.mark.parametrize("fails", [False, True])
def test_no_secret_leaves_a_trace(tmp_path, monkeypatch, caplog, policy, fails):
    caplog.set_level(logging.DEBUG)
    for name, value in OF_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        database=f"sqlite:///{tmp_path}/runs.sqlite3",
        responder="model",
        **{f"outbound_{name}": policy for name in ("talk", "read", "write", "contact")},
    )
    calls = said(None, ("echo_headers", {}), ("crm", {}))
    answers = [(401, {"error": {"message": f"bad {OF_ENVIRONMENT['OPENAI_API_KEY']}"}})] if fails else [calls]

    def refuse(to: Any) -> None:
        to.send_json(
            {"headers": to.server.received[-1].headers, "body": to.server.received[-1].body.decode()}, 401
        )

    with (
        HttpServer(no=refuse, **({"echo": refuse} if fails else {})) as http,
        serving_mcp(token="other" if fails else WRITTEN["mcp"]) as mcp,
        serving_model(*answers, said("Done.")) as model,
    ):
        monkeypatch.setenv("WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL", model.url)
        backend = EmbeddedBackend(settings)
        made = backend.create_workflow(planted(http.url, model.url, mcp))
        given = TurnInput.from_wire(
            {**TurnInput.with_message("Go.").to_wire(), "secret_variables": {"k": "planted-input-77"}}
        )
        turn = backend.execute(made.id, given).finish()
        run = backend.run(turn.run_id)
        interpreter = backend._interpreters.get_or_make(made.id, 0)
        gateways = repr(backend._gateways), repr(interpreter.open_gateway().__dict__)
        doors = *gateways, repr(interpreter.model)
        backend.close()

    effects = side_effects(turn_logs(run), ledgers(run))
    files = [
        side_effects_csv(turn.run_id, effects).decode(),
        *(text for _, text in every_text(exported(run))),
    ]
    found = "\n".join(
        [
            json.dumps(turn.to_wire()),
            repr(turn),
            repr(run),
            stored(tmp_path / "runs.sqlite3"),
            caplog.text,
            *doors,
            *files,
        ]
    )
    secrets = {**OF_ENVIRONMENT, **WRITTEN, "input": "planted-input-77"}
    seen = {name: trace for name, secret in secrets.items() for trace in traces(secret) if trace in found}
    assert seen == {}
    assert bool(http.received) == (policy == "live")
    asked = {"athena", "conversation", "google_docs", "http", "mcp", "model", "sms"}
    assert {effect.kind for effect in effects} == asked


def test_what_is_really_sent_has_the_secrets(tmp_path, monkeypatch):
    for name, value in OF_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with HttpServer() as http:
        settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", outbound_write="live")
        backend = EmbeddedBackend(settings)
        made = backend.create_workflow(planted(http.url, "http://127.0.0.1:9", "http://127.0.0.1:9/mcp"))
        backend.execute(made.id, TurnInput.with_message("Go.")).finish()
        backend.close()

    first, _, third = http.received
    assert first.headers["authorization"] == f"Bearer {WRITTEN['header']}"
    assert first.path == f"/echo?token={WRITTEN['query']}"
    assert third.headers["authorization"] == OF_ENVIRONMENT["WORKFLOW_DEBUGGER_SECRET_crm"]
    assert json.loads(third.body) == {"shop": OF_ENVIRONMENT["WORKFLOW_DEBUGGER_SECRET_SHOP_KEY"]}
