from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from debugger.server.turn_threads import MOST
from tests.conformance.graphs import direct, graph, http, static
from tests.conformance.served import create, execute, spoken
from tests.engine.outbound.http_server import HttpServer

LIBRARY_THREADS = 40
"""How many FastAPI has for routes that may wait."""


@pytest.fixture
def waiting():
    """A service that keeps everyone waiting who asks it: how many do, and what lets them go."""
    asked, may_go = threading.Semaphore(0), threading.Event()

    def hold(handler):
        asked.release()
        may_go.wait(30)
        handler.send_json({})

    with HttpServer(hold=hold) as server:
        yield f"{server.url}/hold", asked, may_go
        may_go.set()


def test_turns_that_wait_leave_threads_to_what_only_reads(api, waiting):
    url, asked, may_go = waiting
    workflow_id = create(api, graph(http("call", url), static("done", "Done"), direct("call", "done")))
    with ThreadPoolExecutor(MOST) as clients:
        answers = [clients.submit(execute, api, workflow_id) for _ in range(LIBRARY_THREADS + 1)]
        for _ in answers:
            assert asked.acquire(timeout=30)

        assert api.get("/v1/workflows").status_code == 200

        may_go.set()
        assert {spoken(answer.result().json())[0] for answer in answers} == {"Done"}
