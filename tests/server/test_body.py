from __future__ import annotations

import logging
import socket
from types import SimpleNamespace

import pytest

from debugger.errors import NotFoundError
from debugger.protocol.runs import TurnInput
from tests.support.factories import document, static

JSON = {"Content-Type": "application/json"}
PATH = "/v1/workflows"


def test_large_body_is_rejected(serve):
    client = serve(SimpleNamespace(), body_limit=1000)

    told = client.post(PATH, content=b" " * 1001, headers=JSON)
    chunked = client.post(PATH, content=iter([b" " * 600, b" " * 600]), headers=JSON)

    assert [told.status_code, chunked.status_code] == [413, 413]
    assert told.json() == {"detail": "The body is larger than 1,000 bytes, which is the most that is taken."}


def test_body_limit_is_20_megabytes(serve):
    client = serve(SimpleNamespace())

    answer = client.post(PATH, content=b" " * (20 * 1024 * 1024 + 1), headers=JSON)

    assert answer.status_code == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_content_type_is_rejected(api, content_type):
    answer = api.post(PATH, content=b'{"name": "Tea"}', headers={"Content-Type": content_type})

    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.api+json"])
def test_any_kind_of_json_is_taken(api, content_type):
    answer = api.post(PATH, content=b'{"name": "Tea"}', headers={"Content-Type": content_type})

    assert answer.status_code == 201


@pytest.mark.parametrize("text", [b"{", b"\xff", b"{'a': 1}", b"[" * 5000])
def test_malformed_json_is_reported_as_field(api, text):
    answer = api.post(PATH, content=text, headers=JSON)

    problem = answer.json()["detail"][0]
    assert answer.status_code == 422
    assert (problem["type"], problem["loc"]) == ("json_invalid", ["body"])


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"\\ud800"'])
def test_what_is_no_object_is_refused(api, text):
    answer = api.post(PATH, content=text, headers=JSON)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"] == "The body must be a JSON object"


def test_client_leaving_during_body_is_no_error(serve, caplog):
    client = serve(SimpleNamespace())
    address = (client.base_url.host, client.base_url.port)
    head = f"POST /workflows{PATH} HTTP/1.1\r\nHost: {address[0]}\r\nContent-Length: 10\r\n\r\n{{"

    with caplog.at_level(logging.INFO, "debugger.server"), socket.create_connection(address) as connection:
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
        client.get(client.base_url.join("/healthz"))  # answered after whatever the server had to do before

    assert [record.levelname for record in caplog.records if "debugger" in record.name] == ["INFO"]


UNKNOWN = "665f00000000000000000001"


def test_no_backend_is_given_a_secret(serve):
    given = []

    def take(*arguments, **_):
        given.append([part.to_wire() if isinstance(part, TurnInput) else part for part in arguments])
        raise NotFoundError("There is nothing.")

    client = serve(SimpleNamespace(create_workflow=take, execute=take))
    graph = {**document(static("a", "Hello")), "secret_variables": {"pin": "hunter2"}}
    run_input = {"command": "start", "secret_variables": {"pin": "hunter2"}, "future": 1}

    client.post("/v1/workflows", json=graph)
    client.post("/v1/workflows", json={"name": "Tea", "config": graph})
    client.post(f"/v1/workflows/{UNKNOWN}/execute", json={"run_input": run_input})

    assert len(given) == 3
    assert given[2][1]["future"] == 1
    assert "hunter2" not in str(given)
