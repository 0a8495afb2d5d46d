from __future__ import annotations

import logging
import socket
from contextlib import closing

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from debugger.backends.embedded import EmbeddedBackend
from debugger.server.auth import keys as auth_keys
from debugger.settings import Settings
from debugger.store import Role
from tests.support.factories import say, static
from tests.support.server_sockets import address, create, opened

KEY = "sk-live-secret"
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def guarded(serve, embedded):
    client = serve(embedded, api_key=KEY)
    client.headers.update(BEARER)
    return client


def root(api):
    return str(api.base_url).removesuffix("/workflows/")


def minted(api, **options):
    return api.get(f"{root(api)}/v1/session", **options)


def test_session_token_is_minted_outside_base_path(guarded):
    answer = minted(guarded)

    assert answer.status_code == 200
    assert set(answer.json()) == {"data"}
    assert len(answer.json()["data"]["id"]) >= 32
    assert answer.json() != minted(guarded).json()


def test_session_token_needs_key(guarded):
    assert minted(guarded, headers={"Authorization": "Bearer sk-wrong"}).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk-wrong"}, {"Authorization": "Bearer "}])
@pytest.mark.parametrize("query", ["", "?token=nonsense"])
def test_a_handshake_without_the_key_is_refused(guarded, headers, query):
    with pytest.raises(InvalidStatus) as raised:
        opened(guarded, "/v1/workflow-runs/ws" + query, additional_headers=headers).__enter__()

    assert raised.value.response.status_code == 401
    assert b"API key" in raised.value.response.body


def test_key_on_handshake_opens_socket(guarded):
    workflow_id = create(guarded, static("a", "Hello"))
    headers = {
        **BEARER,
        "teamid": "",
        "uuid": "anyone",
        "X-Interactly-API-Version": "2026-04-01",
        "User-Agent": "interactly-python/0.2.0",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }

    with opened(guarded, additional_headers=headers, user_agent_header=None) as client:
        frames = client.turn(workflow_id=workflow_id)

    assert frames[-1]["type"] == "end_workflow"


def test_a_token_opens_one_socket(guarded):
    workflow_id = create(guarded, static("a", "Hello"))
    path = f"/v1/workflow-runs/ws?token={minted(guarded).json()['data']['id']}"

    with opened(guarded, path) as client:
        frames = client.turn(workflow_id=workflow_id)

    assert frames[-1]["type"] == "end_workflow"
    with pytest.raises(InvalidStatus):
        opened(guarded, path).__enter__()


def test_a_token_opens_nothing_else(guarded):
    token = minted(guarded).json()["data"]["id"]

    answer = guarded.get("/v1/workflows", params={"token": token}, headers={"Authorization": ""})

    assert answer.status_code == 401


def test_log_has_neither_key_nor_token(guarded, caplog):
    caplog.set_level(logging.DEBUG, logger="uvicorn.error")
    workflow_id = create(guarded, static("a", "Hello"))
    token = minted(guarded).json()["data"]["id"]

    with opened(guarded, f"/v1/workflow-runs/ws?token={token}", additional_headers=BEARER) as client:
        client.turn(workflow_id=workflow_id)
    with pytest.raises(InvalidStatus):
        opened(guarded, additional_headers={"Authorization": f"Bearer {KEY}x"}).__enter__()

    assert "/v1/workflow-runs/ws?token=***" in caplog.text
    assert KEY not in caplog.text
    assert token not in caplog.text
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://["])
def test_page_of_other_site_opens_no_socket(api, origin):
    with pytest.raises(InvalidStatus) as raised:
        opened(api, origin=origin).__enter__()

    assert raised.value.response.status_code == 403


def test_page_of_same_site_opens_socket(api):
    own = root(api)

    with opened(api, origin=own) as client:
        frames = client.turn(workflow_id=create(api, static("a", "Hello")))

    assert frames[-1]["type"] == "end_workflow"


def test_page_of_other_site_opens_socket_by_token(guarded):
    workflow_id = create(guarded, static("a", "Hello"))
    path = f"/v1/workflow-runs/ws?token={minted(guarded).json()['data']['id']}"

    with opened(guarded, path, origin="https://app.example") as client:
        frames = client.turn(workflow_id=workflow_id)

    assert frames[-1]["type"] == "end_workflow"


def test_socket_without_key_needs_local_host(api):
    here = (api.base_url.host, api.base_url.port)

    with socket.create_connection(here) as sock, pytest.raises(InvalidStatus) as raised:
        connect("ws://evil.example/workflows/v1/workflow-runs/ws", sock=sock)

    assert raised.value.response.status_code == 403


def test_the_socket_is_at_the_documented_address(api):
    assert address(api).endswith("/workflows/v1/workflow-runs/ws")


@pytest.fixture
def backend():
    with closing(EmbeddedBackend(Settings(database="sqlite://", responder="rules"))) as opened:
        yield opened


def added(backend, role):
    """A new key's id, and the header that shows it."""
    key, shown = backend.store.api_keys.add("Ada", role)
    return key.id, {"Authorization": f"Bearer {shown}"}


def test_read_key_opens_no_socket(serve, backend):
    _, reading = added(backend, Role.READ)
    client = serve(backend)

    with pytest.raises(InvalidStatus) as raised:
        opened(client, additional_headers=reading).__enter__()

    assert raised.value.response.status_code == 403
    assert b"needs a key with the role run" in raised.value.response.body
    assert minted(client, headers=reading).status_code == 403


def test_token_acts_for_its_principal(serve, backend):
    _, running = added(backend, Role.ADMIN)
    client = serve(backend)
    client.headers.update(running)
    workflow_id = create(client, static("a", "Hello"))
    token = minted(client).json()["data"]["id"]

    with opened(client, f"/v1/workflow-runs/ws?token={token}") as socket:
        ack, *_ = socket.turn(workflow_id=workflow_id)

    assert client.get(f"/v1/workflow-runs/{ack['workflow_run_id']}").status_code == 200


def test_token_of_revoked_key_opens_nothing(serve, backend, monkeypatch):
    monkeypatch.setattr(auth_keys, "FRESH_SECONDS", 0.0)
    key_id, running = added(backend, Role.RUN)
    client = serve(backend)
    token = minted(client, headers=running).json()["data"]["id"]

    backend.store.api_keys.revoke(key_id)

    with pytest.raises(InvalidStatus) as raised:
        opened(client, f"/v1/workflow-runs/ws?token={token}").__enter__()
    assert raised.value.response.status_code == 401


def test_revoked_key_closes_socket(serve, backend, monkeypatch):
    monkeypatch.setattr(auth_keys, "FRESH_SECONDS", 0.02)
    key_id, running = added(backend, Role.ADMIN)
    client = serve(backend)
    workflow_id = create(client, say("ask"), headers=running)

    with opened(client, additional_headers=running) as socket:
        socket.turn(workflow_id=workflow_id)
        backend.store.api_keys.revoke(key_id)
        code, reason = socket.closed()

    assert (code, reason) == (4401, "The key that opened this socket is not good any more.")
