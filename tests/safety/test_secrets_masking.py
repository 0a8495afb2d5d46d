"""Secrets in host names, in errors and in a run's events."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.outbound import Secrets
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.safety.secret_trails import PLANTED, SECRET, execute
from tests.support.factories import document, node, say, static
from tests.support.http_server import HttpServer

IN_HOST = "Pl\u00e4nted-S3cret-77"
IN_HOST_ASCII = IN_HOST.lower().encode("idna").decode()
ALLOWED = {
    "WORKFLOW_DEBUGGER_SECRET_SHOP_KEY": IN_HOST,
    "WORKFLOW_DEBUGGER_SECRET_HOSTS_SHOP_KEY": "http://*.shop.invalid, http://*.shop.invalid:{port}",
}
SPELLINGS = {IN_HOST.lower(), IN_HOST_ASCII, "pl%c3%a4nted", "pl%C3%A4nted", "nted-s3cret", "xn--"}


def resolving(monkeypatch: pytest.MonkeyPatch, address: str | None) -> list[str]:
    """Resolve names below ``shop.invalid``; return the names looked up."""
    names: list[str] = []
    look_up = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **more: Any) -> Any:
        if str(host).endswith(".shop.invalid"):
            names.append(str(host))
            if address is None:
                raise socket.gaierror(-2, "Name or service not known")
            host = address
        return look_up(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names


@pytest.mark.parametrize("prefix", ["", "api-"], ids=["whole label", "part of a label"])
@pytest.mark.parametrize("address", [None, "127.0.0.1", "169.254.169.254"], ids=["none", "closed", "refused"])
def test_secret_in_host_name_is_masked(tmp_path, monkeypatch, caplog, prefix, address):
    names = resolving(monkeypatch, address)
    url = f"http://{prefix}{{{{SHOP_KEY}}}}.shop.invalid:9/"
    environment = {name: value.format(port=9) for name, value in ALLOWED.items()}

    trail = execute(
        tmp_path, monkeypatch, document(node("n", "http_request", url=url)), None, environment, caplog
    )

    assert len(names) == 1, "it was allowed, so the name was looked up"
    assert f"{prefix}***.shop.invalid" in trail.error
    assert trail.leaks(IN_HOST) == []
    assert {spelling for spelling in SPELLINGS if spelling in trail.text.lower()} == set()


def test_host_with_secret_is_masked_in_response(tmp_path, monkeypatch, caplog):
    """The server tells what it was sent, the header Host among it."""
    resolving(monkeypatch, "127.0.0.1")
    with HttpServer() as server:
        url = f"http://api-{{{{SHOP_KEY}}}}.shop.invalid:{server.server_port}/"
        environment = {name: value.format(port=server.server_port) for name, value in ALLOWED.items()}
        flow = document(node("n", "http_request", url=url))

        trail = execute(tmp_path, monkeypatch, flow, None, environment, caplog)

        host = server.received[0].headers["host"]
    assert host.startswith("xn--api-plnted")
    assert trail.error == ""
    assert host.partition(":")[0] not in trail.text
    assert {spelling for spelling in SPELLINGS if spelling in trail.text.lower()} == set()


def test_redirect_of_host_with_secret_is_masked(tmp_path, monkeypatch, caplog):
    """Drop the secret on a redirect to another port."""
    resolving(monkeypatch, "127.0.0.1")

    def away(to: Any) -> None:
        to.redirect(f"http://{to.server.received[-1].headers['host'].partition(':')[0]}:9/")

    with HttpServer(away=away) as server:
        url = f"http://api-{{{{SHOP_KEY}}}}.shop.invalid:{server.server_port}/away"
        environment = {name: value.format(port=server.server_port) for name, value in ALLOWED.items()}
        flow = document(node("n", "http_request", url=url))

        trail = execute(tmp_path, monkeypatch, flow, None, environment, caplog)

    assert "the secret 'SHOP_KEY' must not be sent to http://***:9" in trail.error
    assert {spelling for spelling in SPELLINGS if spelling in trail.text.lower()} == set()


def test_mcp_host_with_secret_is_masked(tmp_path, monkeypatch, caplog):
    resolving(monkeypatch, None)
    server = {"server_url": "http://api-{{SHOP_KEY}}.shop.invalid/mcp"}
    environment = {name: value.format(port=80) for name, value in ALLOWED.items()}
    flow = document(say("n", use_mcp_tools=True), mcp_servers=[server])

    trail = execute(tmp_path, monkeypatch, flow, None, environment, caplog, responder="rules")

    assert "There is no host 'api-***.shop.invalid'" in trail.error
    assert {spelling for spelling in SPELLINGS if spelling in trail.text.lower()} == set()


def test_error_of_a_run_shows_no_secret(tmp_path):
    """Mask a secret that the author wrote into a prompt."""
    flow = document(say("n"), main_response_config={"prompt": [SECRET]})
    flow["node_configs"][0].pop("main_response_config")
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    backend = EmbeddedBackend(settings, environment=PLANTED)
    made = backend.create_workflow(flow)

    turn = backend.execute(made.id, TurnInput.with_message("Go.")).finish()
    run = backend.run(turn.run_id)
    backend.close()

    assert "a prompt that is not a text: ['***']" in str(turn.error)
    assert SECRET not in json.dumps([turn.to_wire(), run.to_wire()], ensure_ascii=False)


def test_event_with_secret_is_masked(tmp_path):
    """Mask a secret that the caller sends and the workflow repeats."""
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3")
    backend = EmbeddedBackend(settings, environment=PLANTED)
    made = backend.create_workflow(document(static("n", "You sent {{typed}}, {{other}}.")))
    turn_input = TurnInput.with_message(
        f"It is {SECRET}.", dynamic_variables={"typed": SECRET, "other": {SECRET: [1]}}
    )

    turn = backend.execute(made.id, turn_input).finish()
    run = backend.run(turn.run_id)
    backend.close()

    texts = [str(event) for event in turn.to_wire()["events"]]
    assert sum("***" in text for text in texts) >= 3
    assert any("You sent ***, {'***': [1]}." in text for text in texts)
    assert SECRET not in json.dumps([turn.to_wire(), run.to_wire()], ensure_ascii=False)


@pytest.mark.parametrize(
    ("secret", "value", "masked"),
    [
        ("s3cret", {"a": ["x s3cret", 1]}, {"a": ["x ***", 1]}),
        ("message", {"type": "message"}, {"type": "message"}),
        ("correct_horse_battery", "correct_horse_battery", "***"),
        ("1234", "in 1234 texts", "in 1234 texts"),
        ("471147", {"n": 471147, "m": "471147"}, {"n": "***", "m": "***"}),
        ('a"b\u00e4c7', {'k a"b\u00e4c7': None}, {"k ***": None}),
    ],
)
def test_secret_is_hidden_where_it_is_recognizable(secret, value, masked):
    assert Secrets({"KEY": secret}).hide(value) == masked


def test_value_nested_deep_is_hidden_as_text():
    value: Any = "s3cret-77"
    for _level in range(600):
        value = [value]

    assert "s3cret-77" not in str(Secrets({"KEY": "s3cret-77"}).hide(value))
