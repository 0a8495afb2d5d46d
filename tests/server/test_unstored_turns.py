"""A turn over the API that ran and could not be stored: what its client gets, and what is called again."""

from __future__ import annotations

from contextlib import closing, contextmanager

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from debugger.store.claims import interrupt
from tests.server.conftest import serving
from tests.support.factories import direct, document, node, say
from tests.support.http_server import HttpServer
from tests.support.server_sockets import create, opened, record, saying

ID = {"client_turn_id": "turn-2"}


@contextmanager
def booking(url):
    """Give a client of a server, a run that waits, and the calls; the first booking loses its claim."""
    with closing(EmbeddedBackend(Settings(database=url, responder="rules"))) as backend:

        def book(handler):
            if len(server.received) == 1:
                claimed = backend.store.claims.position(run_id).claimed
                with backend.store._database.writing() as connection:
                    assert interrupt(connection, claimed)
            handler.send_json({})

        with HttpServer(book=book) as server, serving(backend) as api:
            ask, call = say("ask", self_loop=False), node("book", "http_request", url=f"{server.url}/book")
            graph = document(ask, call, direct("ask", "book"), direct("book", "ask"))
            workflow_id = create(api, graph=graph)
            run_id = execute(api, workflow_id).json()["run_id"]
            yield api, workflow_id, run_id, server


def execute(api, workflow_id, run_id=None, **given):
    body = {"run_input": given} | ({"run_id": run_id} if run_id else {})
    return api.post(f"/v1/workflows/{workflow_id}/execute", json=body)


def test_turn_not_stored_is_409_with_calls(url):
    with booking(url) as (api, workflow_id, run_id, server):
        given = {"thread_to_node_inputs": saying("Book it")}

        first = execute(api, workflow_id, run_id, miscellaneous=ID, **given)
        again = execute(api, workflow_id, run_id, miscellaneous=ID, **given)

        for answer in (first, again):
            told = answer.json()
            assert (answer.status_code, told["reason"]) == (409, "turn_not_stored")
            assert told["detail"] == "The turn ran, made 1 call and could not be stored."
            [call] = told["calls"]
            assert (call["target"], call["success"]) == (f"GET {server.url}/book", True)
            assert "retry-after" not in answer.headers
        assert len(server.received) == 1
        assert record(api, run_id)["status"] == "waiting_for_user_input"
        chosen = execute(api, workflow_id, run_id, miscellaneous={"client_turn_id": "turn-2b"}, **given)
        assert (chosen.status_code, chosen.json()["turn_number"], len(server.received)) == (200, 2, 2)


def test_socket_of_turn_not_stored_says_that_it_ran(url):
    with booking(url) as (api, workflow_id, run_id, server):
        for _ in range(2):
            with opened(api) as socket:
                socket.send(
                    command="data",
                    workflow_id=workflow_id,
                    workflow_run_id=run_id,
                    miscellaneous=ID,
                    thread_to_node_inputs=saying("Book it"),
                )
                code, reason = socket.closed()

            assert code == 4409
            assert reason == "turn_not_stored: The turn ran, made 1 call and could not be stored."
        assert len(server.received) == 1


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/server.sqlite3"
