from __future__ import annotations

import json
import logging
from contextlib import closing

import pytest

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend, global_variables
from debugger.backends.embedded.global_variables import GlobalValues
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from debugger.store import Store
from tests.support.factories import direct, document, node, say, static
from tests.support.http_server import HttpServer

BLANK = {"is_secret": False, "value": "", "description": None, "category": None}


@pytest.fixture
def store(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3", encryption_key="a long text")) as opened:
        yield opened


def test_open_values_and_secrets_are_told_apart(store):
    store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})
    store.globals.create({**BLANK, "name": "key", "value": "hunter2", "is_secret": True})
    store.globals.create({**BLANK, "name": "pin", "value": 1234, "is_secret": True})
    values = GlobalValues(store)

    assert values.dynamic() == {"shop": "Leaf", "global": {"shop": "Leaf"}}
    assert values.secrets() == {"key": "hunter2", "pin": "1234"}


def test_without_open_values_runs_begin_with_none(store):
    store.globals.create({**BLANK, "name": "key", "value": "hunter2", "is_secret": True})

    assert GlobalValues(store).dynamic() == {}


def test_change_counts_at_once_here_soon_elsewhere(store, monkeypatch):
    here, elsewhere = GlobalValues(store), GlobalValues(store)
    seconds = [100.0]
    monkeypatch.setattr(global_variables.time, "monotonic", lambda: seconds[0])
    assert here.dynamic() == elsewhere.dynamic() == {}

    store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})
    here.renew()

    assert (here.dynamic().get("shop"), elsewhere.dynamic().get("shop")) == ("Leaf", None)
    seconds[0] += global_variables.FRESH_SECONDS + 0.1
    assert elsewhere.dynamic()["shop"] == "Leaf"


def spoken(result):
    return [event["content"] for event in result.events if event["type"] == "assistant_response"]


def calling(url, name):
    """A workflow that sends a variable outside, and then says it."""
    call = node("call", "http_request", url=f"{url}/echo", headers={"X-Key": f"{{{{{name}}}}}"})
    says = static("says", f"{{{{{name}}}}} {{{{global.{name}}}}} [[http_request_result]]")
    return document(call, says, direct("call", "says"))


@pytest.fixture
def backend(store, tmp_path):
    """An engine on the store, opened as the app does it."""
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", encryption_key="a long text")
    environment = {"WORKFLOW_DEBUGGER_SECRET_of_environment": "planted-environment-77"}
    with closing(open_embedded(settings, environment=environment)) as opened:
        yield opened


def test_run_starts_with_open_globals_below_all(store, backend):
    store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})
    text = "{{shop}} and {{global.shop}}"
    plain = backend.create_workflow(document(static("hello", text)))
    with_default = backend.create_workflow(document(static("hello", text), defaults={"shop": "Default"}))

    assert spoken(backend.execute(plain.id, TurnInput.with_message(None)).finish()) == ["Leaf and Leaf"]
    given = TurnInput.with_message(None, dynamic_variables={"shop": "Own"})
    assert spoken(backend.execute(plain.id, given).finish()) == ["Own and Leaf"]
    assert spoken(backend.execute(with_default.id, TurnInput.with_message(None)).finish()) == [
        "Default and Leaf"
    ]


def test_run_keeps_its_first_globals(store, backend):
    made = store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})
    workflow = backend.create_workflow(
        document(static("hello", "{{shop}}"), say("chat"), direct("hello", "chat"))
    )
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id

    store.globals.change(made.id, {"value": "Twig"})
    backend.global_values.renew()
    later = backend.execute(workflow.id, TurnInput.with_message("Hm."), run_id=run_id).finish()
    another = backend.execute(workflow.id, TurnInput.with_message(None)).finish()

    pair = backend.run(later.run_id).input_output_pairs[-1].to_wire()
    assert pair["run_input"]["dynamic_variables"]["shop"] == "Leaf"
    assert spoken(another)[0] == "Twig"


@pytest.mark.parametrize("name", ["key", "of_environment"])
def test_secrets_reach_only_outbound_calls(store, backend, caplog, name):
    caplog.set_level(logging.DEBUG)
    store.globals.create({**BLANK, "name": "key", "value": "planted-variable-77", "is_secret": True})
    secret = {"key": "planted-variable-77", "of_environment": "planted-environment-77"}[name]
    with HttpServer() as http:
        made = backend.create_workflow(calling(http.url, name))

        result = backend.execute(made.id, TurnInput.with_message(None)).finish()

    assert [call.headers["x-key"] for call in http.received] == [secret]
    told = json.dumps([result.to_wire(), backend.run(result.run_id).to_wire()])
    state = backend.store.checkpoint(result.run_id).checkpoint.decode()
    assert [place for place in (told, state, caplog.text, repr(backend._gateways)) if secret in place] == []


def test_environment_secret_wins_over_variable(store, backend):
    store.globals.create({**BLANK, "name": "of_environment", "value": "planted-77", "is_secret": True})
    with HttpServer() as http:
        made = backend.create_workflow(calling(http.url, "of_environment"))
        backend.execute(made.id, TurnInput.with_message(None)).finish()

    assert [call.headers["x-key"] for call in http.received] == ["planted-environment-77"]


def test_unreadable_secret_is_logged_once(store, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(global_variables, "FRESH_SECONDS", 0)
    store.globals.create({**BLANK, "name": "key", "value": "planted-77", "is_secret": True})
    store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", encryption_key="another text")
    with closing(EmbeddedBackend(settings, environment={})) as backend, HttpServer() as http:
        made = backend.create_workflow(calling(http.url, "key"))
        greeting = backend.create_workflow(document(static("hello", "{{shop}}")))

        result = backend.execute(made.id, TurnInput.with_message(None)).finish()
        greeted = backend.execute(greeting.id, TurnInput.with_message(None)).finish()

    assert spoken(greeted) == ["Leaf"]
    assert "No value for {{key}}" in json.dumps(result.to_wire())
    assert caplog.text.count("without the global variable 'key'") == 1
    assert "Set WORKFLOW_DEBUGGER_ENCRYPTION_KEY" in caplog.text


def test_turns_in_a_row_share_one_read(store, backend, monkeypatch):
    monkeypatch.setattr(global_variables, "FRESH_SECONDS", 3600)
    made = backend.create_workflow(document(say("chat")))
    run_id = backend.execute(made.id, TurnInput.with_message(None)).finish().run_id
    store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})

    for text in ("One", "Two"):
        backend.execute(made.id, TurnInput.with_message(text), run_id=run_id).finish()
    before = backend.global_values.dynamic()
    backend.global_values.renew()

    assert (before, backend.global_values.dynamic()["shop"]) == ({}, "Leaf")
